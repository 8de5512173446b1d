// Mocha's spec reporter that also keeps "PASSED FAILED" in the file of the `summary` option, after each test, so that
// the counts are there even when the run is ended from outside.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class CiReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { summary } = options.reporterOptions;
    const save = () => writeFileSync(summary, `${this.stats.passes} ${this.stats.failures}\n`);
    const { EVENT_TEST_PASS, EVENT_TEST_FAIL } = Runner.constants;
    for (const event of [EVENT_TEST_PASS, EVENT_TEST_FAIL]) runner.on(event, save);
  }
};
