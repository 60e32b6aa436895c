import { catalogue } from '../kit.js'

export const MobileError = catalogue('mobile-app', {
  UPDATE_NOT_FOUND: { status: 404, text: 'There is no release.' },
  LAST_UPDATE_PROTECTED: { status: 409, text: 'The last active release of a platform and variant stays.' }
})
