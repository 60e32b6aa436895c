/* global db, rs, sleep, quit, print */
// mongosh script: makes the single node a replica set, once, and waits until it takes writes.
try {
  rs.status()
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongo:27017' }] })
}

const DEADLINE_S = 60
for (let waited = 0; !db.hello().isWritablePrimary; waited++) {
  if (waited === DEADLINE_S) {
    print(`no primary after ${DEADLINE_S} s`)
    quit(1)
  }
  sleep(1000)
}
print('replica set rs0 is ready')
