const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => ESCAPES[character]!)

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2333;--paper:#f5f6f8;--card:#fff;--soft:#5d6780}
@media(prefers-color-scheme:dark){:root{--ink:#eef1f7;--paper:#12151c;--card:#1c212c;--soft:#9aa5bd}}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{background:var(--card);border-radius:16px;padding:32px;max-width:26rem;margin:16px;box-shadow:0 8px 32px #0001}
h1{font-size:1.25rem;margin:0 0 8px}p{margin:0;color:var(--soft)}`

/** A small page for people who followed a link that leads nowhere. */
export const missingPage = (message: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">
<title>${escapeHtml(message)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(message)}</h1><p>Please check the address, or ask whoever sent it to you.</p></main></body></html>
`
