// Makes the one-node replica set, and waits until it takes writes. Run by docker-compose.yml at every start: does nothing
// where there is one. Transactions need a replica set.
/* global rs, db, sleep, print, quit */
const notYetInitialized = 94;

try {
  rs.status();
} catch (error) {
  if (error.code !== notYetInitialized) throw error;
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: 'mongodb:27017' }] });
}
for (let tries = 0; tries < 60 && !db.hello().isWritablePrimary; tries++) sleep(500);
if (!db.hello().isWritablePrimary) {
  print('the replica set has no primary');
  quit(1);
}
