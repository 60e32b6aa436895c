import { catalogue } from '../kit.js'

export const SharedError = catalogue('shared', {
  FILE_NOT_FOUND: { status: 404, text: 'File not found.' },
  FOLDER_NOT_FOUND: { status: 404, text: 'Folder not found.' },
  JOB_NOT_FOUND: { status: 404, text: 'Job not found.' },
  TAG_NOT_FOUND: { status: 404, text: 'Tag not found.' },
  COUNTRY_NOT_FOUND: { status: 404, text: 'Country not found.' },
  FILE_TOO_LARGE: { status: 413, text: 'The file is too large.' },
  FILE_TYPE_NOT_ALLOWED: { status: 415, text: 'Files of this type are not allowed for this purpose.' },
  FILE_MISMATCH: { status: 422, text: 'The bytes are not what was declared.' },
  UPLOAD_MISSING: { status: 422, text: 'Nothing has arrived for this upload.' },
  STORAGE_QUOTA_EXCEEDED: { status: 403, text: 'The storage of this account is full.' },
  FILE_IN_USE: { status: 409, text: 'Records use this file.' },
  FILE_NOT_READY: { status: 409, text: 'The file is not ready.' },
  FOLDER_NOT_EMPTY: { status: 409, text: 'The folder is not empty.' },
  FOLDER_CYCLE: { status: 409, text: 'A folder cannot lie inside itself.' },
  FOLDER_TOO_DEEP: { status: 422, text: 'Folders are at most 8 deep.' },
  JOB_NOT_CANCELLABLE: { status: 409, text: 'This job cannot be cancelled.' },
  JOB_NOT_RETRYABLE: { status: 409, text: 'This job cannot be retried.' },
  SIGNATURE_INVALID: { status: 403, text: 'This address has been changed or has expired.' },
  CURRENCY_UNKNOWN: { status: 400, text: (code: string) => `${code} is not a currency with a known rate.` },
  PHONE_COUNTRY_REQUIRED: { status: 422, text: 'A number without its international prefix needs a country.' },
  RATES_UNAVAILABLE: { status: 503, text: 'No conversion rates are available.' },
  TAG_LIMIT_REACHED: { status: 409, text: (max: number) => `There are at most ${max} tags of a kind.` }
})
