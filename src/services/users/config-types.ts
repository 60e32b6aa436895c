import type { ConfigData, ConfigType } from '../../schemas/users-self.js'

export type TypeOf = { label: string, group: string, adminOnly: boolean, fields: readonly string[], mandatory: readonly string[], customFields: boolean }

/** `label | group | fields`, mandatory ones with `!`; a type without fields holds cards, widgets, a menu or options. */
const TYPES: Readonly<Record<ConfigType, string>> = {
  people_table: 'People | crm | name! email phone company owner tags source last_activity_at created_at',
  people_card: 'Person card | crm | name! email phone company tags',
  people_detail: 'Person page | crm | name! email phone company job_title address website social owner tags source birthday created_at',
  businesses_table: 'Businesses | crm | name! email phone website address owner tags last_activity_at created_at',
  businesses_card: 'Business card | crm | name! email phone website tags',
  businesses_detail: 'Business page | crm | name! email phone website address social industry owner tags created_at',
  deals_table: 'Deals | crm | name! stage pipeline value owner contact close_date created_at',
  deals_card: 'Deal card | crm | name! value contact owner close_date',
  deals_detail: 'Deal page | crm | name! stage pipeline value currency contact business owner close_date lost_reason tags created_at',
  deals_board: 'Deal board | crm | name! value contact owner close_date tags',
  fields: 'Fields | crm | ',
  forms_table: 'Forms | forms | name! type status responses created_at',
  form_responses_table: 'Form responses | forms | contact! form status submitted_at',
  leads_table: 'Leads | inbound | name! email phone campaign source assigned created_at',
  campaigns_table: 'Campaigns | inbound | name! integration status leads created_at',
  instasites_table: 'InstaSites | instasites | business! status template views created_at',
  instareports_table: 'InstaReports | instareports | business! status score created_at',
  templates_table: 'Templates | templates | name! type updated_at created_at',
  funnels_table: 'Funnels | funnels | name! status visits sales updated_at',
  sites_table: 'Sites | sites | name! status host business updated_at',
  projects: 'Projects | projects | name! status account due_date assigned',
  orders_table: 'Orders | store | product! status buyer seller total created_at',
  invoices_table: 'Invoices | billing | number! customer status total due_date created_at',
  subscriptions_table: 'Subscriptions | billing | product! customer status amount period_end',
  reviews_table: 'Reviews | reviews | reviewer! rating platform status replied created_at',
  conversations: 'Conversations | conversations | contact! channel last_message assigned',
  analytics: 'Analytics | dashboard | ',
  dashboard_widgets: 'Dashboard | dashboard | ',
  reminders: 'Reminders | crm | title! due_date_time assigned contact deal category',
  app_drawer: 'App drawer | account* | ',
  admin_notifications: 'Administrators\' notices | account* | ',
  client_dashboard: 'Client dashboard | account* | '
}

function parse (text: string): TypeOf {
  const [label, group, words] = text.split('|').map(part => part.trim()) as [string, string, string]
  const fields = words.split(' ').filter(word => word !== '')
  return {
    label,
    group: group.replace('*', ''),
    adminOnly: group.endsWith('*'),
    fields: fields.map(field => field.replace('!', '')),
    mandatory: fields.filter(field => field.endsWith('!')).map(field => field.slice(0, -1)),
    customFields: group === 'crm' && fields.length > 0
  }
}

export const CONFIG: ReadonlyMap<string, TypeOf> = new Map(Object.entries(TYPES).map(([type, text]) => [type, parse(text)]))

const MENU = ['home', 'contacts', 'deals', 'inbound', 'conversations', 'templates', 'forms', 'funnels', 'sites', 'instasites', 'instareports', 'reviews', 'projects', 'store', 'billing', 'analytics']

/** What everybody has who has set nothing, unless the platform's `user-config` rows say otherwise. */
export function defaultData (type: string): ConfigData {
  const { fields, mandatory } = CONFIG.get(type)!
  const rows = fields.map((key, order) => ({ key, visible: true, order, width: null, mandatory: mandatory.includes(key) }))
  const card = type.endsWith('_card') || type === 'deals_board'
  return {
    fields: card ? [] : rows,
    cards: card ? rows : [],
    widgets: [],
    options: {},
    menu: type === 'app_drawer' ? MENU.map((key, order) => ({ key, order, visible: true })) : []
  }
}
