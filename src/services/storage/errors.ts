import { catalogue } from '../kit.js'

export const StorageError = catalogue('storage', {
  STORAGE_NOT_CONFIGURED: { status: 503, text: 'File storage is not configured.' },
  STORAGE_KEY_INVALID: { status: 400, text: 'This is not the key of a stored file.' },
  FILE_TOO_LARGE: { status: 413, text: 'The file is too large.' },
  RANGE_NOT_SATISFIABLE: { status: 416, text: 'The file has no such part.' }
})
