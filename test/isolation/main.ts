/**
 * `npm run verify-isolation`: starts the app in memory with two tenants that have the same kinds of things, and asks
 * every route, by every parameter that can name something of a tenant, about a thing of the other tenant and about one
 * that does not exist. Prints a line for each; exits 1 when the answers can be told apart or something was changed.
 */
import { manyTries } from '../http/hostile/ask.js';
import { foreignFindings } from '../management/foreign-findings.js';
import { openStage } from '../management/ground.js';
import { closeDatabases } from '../support/database.js';
import { closeApps, startApp } from '../support/start-app.js';
import { questions, routesOfNobody } from './table.js';
import { seedOfTwoAlike } from './two-alike.js';
import { askAt, planFor, routesByHand, verify } from './verify.js';
import { openWorld } from './world.js';

const words = { same: 'the same', byNature: 'by nature', failed: 'FAILED' };

const running = await startApp({ seed: seedOfTwoAlike, policy: manyTries });
try {
  const world = await openWorld(running);
  const { asked, faults } = planFor(routesByHand(running.app), questions);
  for (const fault of faults) console.log(`FAILED     ${fault}`);
  const counts = { same: 0, byNature: 0, failed: faults.length };
  for (const { question, method } of asked) {
    const { title, byNature, faults: found } = await verify(world, question, method, askAt(world.issuer));
    const outcome = found.length > 0 ? 'failed' : byNature === undefined ? 'same' : 'byNature';
    counts[outcome]++;
    console.log(`${words[outcome].padEnd(11)}${title}`);
    for (const line of [...found, ...(byNature === undefined ? [] : [byNature])]) console.log(`             ${line}`);
  }
  let asking = 0;
  for await (const { title, faults: found } of foreignFindings(await openStage())) {
    asking++;
    counts[found.length > 0 ? 'failed' : 'same']++;
    console.log(`${words[found.length > 0 ? 'failed' : 'same'].padEnd(11)}${title}`);
    for (const line of found) console.log(`             ${line}`);
  }
  for (const [route, why] of Object.entries(routesOfNobody)) console.log(`nothing    ${route}: ${why}`);
  console.log(`\n${asked.length} questions to ${new Set(asked.map(({ question }) => question.route)).size} routes`);
  console.log(`${asking} to the ${running.app.operations.length} operations of the management API`);
  console.log(`${counts.same} answered as if nothing was there, ${counts.byNature} differ by nature`);
  const { failed } = counts;
  console.log(failed === 0 ? 'isolation verified' : `isolation FAILED: ${failed}`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await closeApps();
  await closeDatabases();
}
