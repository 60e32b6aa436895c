import { createHash } from 'node:crypto'
import { Liquid } from 'liquidjs'
import { STYLE } from './style.js'

/** Everything that is written is escaped; templates are ours alone. */
const liquid = new Liquid({ outputEscape: 'escape', strictFilters: true, ownPropertyOnly: true })

const HEAD = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">
<title>{{ title }}</title><style>${STYLE}</style></head><body><main>`
const LOGO = '{% if app %}{% if app.logo %}<img class="logo" src="{{ app.logo }}" alt="">{% else %}<div class="mark" aria-hidden="true">{{ app.name | slice: 0 | upcase }}</div>{% endif %}{% endif %}'
const TOKEN = '<input type="hidden" name="form_token" value="{{ form_token }}">'
const ALERT = '{% if message %}<p class="alert" role="alert">{{ message }}</p>{% endif %}'
const form = (action: string, inner: string) => `<form method="post" action="{{ base }}/${action}" autocomplete="on">${TOKEN}${inner}</form>`
const page = (inner: string) => liquid.parse(`${HEAD}${LOGO}${inner}</main></body></html>`)

const TEMPLATES = {
  signin: page(`<h1>Sign in</h1><p>to go on to {{ app.name }}</p>${ALERT}{% if step == 'code' %}${form('signin', `
<label>Code of your authenticator app<input type="text" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="20" required autofocus></label><button>Go on</button>`)}
{% else %}${form('signin', `
<label>E-mail<input type="text" name="identifier" value="{{ identifier }}" autocomplete="username" maxlength="254" required></label>
<label>Password<input type="password" name="password" autocomplete="current-password" maxlength="128" required></label><button>Sign in</button>`)}{% endif %}`),

  accounts: page(`<h1>Choose an account</h1><p>{{ app.name }} gets access to this one account only.</p><ul class="accounts">{% for account in accounts %}<li>${form('accounts', `
<input type="hidden" name="account_id" value="{{ account.account_id }}"><button class="plain">{{ account.name }}<small>{% if account.main %}Agency{% else %}Client{% endif %}</small></button>`)}</li>{% endfor %}</ul>`),

  scopes: page(`<h1>{{ app.name }} asks for access</h1><p>to the account <strong>{{ account }}</strong>. You are signed in as {{ person }}. Untick what the app should not get.</p>${form('consent', `
<ul>{% for scope in scopes %}<li><label><input type="checkbox" name="scopes" value="{{ scope.name }}" checked><span>{{ scope.title }}<small>{{ scope.name }}</small></span></label></li>{% endfor %}</ul>
<div class="row"><button class="plain" name="decision" value="deny">Cancel</button><button name="decision" value="allow">Allow</button></div>`)}`),

  loading: page('<h1>One moment</h1><p>You are on your way back to the app.</p>'),
  error: page('<h1>This did not work</h1><p class="alert" role="alert">{{ message }}</p><p>Close this page and start again from the app.</p>')
}
export type ScreenName = keyof typeof TEMPLATES

const TITLES: Readonly<Record<ScreenName, string>> = { signin: 'Sign in', accounts: 'Choose an account', scopes: 'Allow access', loading: 'One moment', error: 'This did not work' }

export const renderScreen = (name: ScreenName, state: Readonly<Record<string, unknown>>, base: string): string =>
  String(liquid.renderSync(TEMPLATES[name], { title: TITLES[name], ...state, base }))

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** No script at all, our style only, forms to ourselves and to the app's own address at the end of them. */
export const screenHeaders = (formTarget?: string): Record<string, string> => ({
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src https:; form-action 'self'${formTarget === undefined ? '' : ` ${formTarget}`}; frame-ancestors 'none'; base-uri 'none'`,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store'
})
