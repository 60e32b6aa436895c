import { catalogue } from '../kit.js'

export const ActivityError = catalogue('activities', {
  ACTIVITY_NOT_FOUND: { status: 404, text: 'Activity not found.' },
  COMMENT_NOT_FOUND: { status: 404, text: 'Comment not found.' },
  CONTACT_NOT_FOUND: { status: 404, text: 'Contact not found.' },
  DEAL_NOT_FOUND: { status: 404, text: 'Deal not found.' },
  AUDIT_NOT_FOUND: { status: 404, text: 'Audit row not found.' },
  ACTIVITY_NOT_EDITABLE: { status: 409, text: 'This row mirrors another record: change that one.' },
  NOT_AUTHOR: { status: 403, text: 'Only its author may do this.' },
  DETAILS_INVALID: { status: 400, text: 'The details do not fit the kind of activity.' },
  REFERENCE_REQUIRED: { status: 400, text: 'Name a contact or a deal.' },
  PIN_LIMIT_REACHED: { status: 422, text: 'A record holds 10 pinned activities.' },
  COMMENT_LOCKED: { status: 409, text: 'A comment can be changed for 24 hours.' },
  RANGE_TOO_LARGE: { status: 422, text: 'Figures cover at most 366 days.' }
})
