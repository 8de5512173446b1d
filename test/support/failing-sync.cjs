/**
 * A disk that breaks: loaded into a process with `node --require`, it makes fdatasync fail there from the moment on at
 * which the file named by BROKEN_DISK exists. The process itself is the real one and knows nothing of it.
 */
const { existsSync } = require('node:fs');
const promises = require('node:fs/promises');
const { syncBuiltinESMExports } = require('node:module');
const process = require('node:process');

const { open } = promises;
promises.open = async (...args) => {
  const file = await open(...args);
  const datasync = file.datasync.bind(file);
  file.datasync = async () => {
    if (existsSync(process.env.BROKEN_DISK)) throw new Error('EIO: i/o error, fdatasync');
    await datasync();
  };
  return file;
};
syncBuiltinESMExports();
