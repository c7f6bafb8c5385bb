// Usage: node sarif.js SCHEMA LOG VERDICT
// Fails unless the log is valid by the schema and the multitool's verdict on it
// has no result.
const fs = require("fs");
const Ajv = require("ajv/dist/2020").default;

const [schema, log, verdict] = process.argv.slice(2).map((file) => JSON.parse(fs.readFileSync(file)));
const ajv = new Ajv({ strict: false, allErrors: true });
require("ajv-formats").default(ajv);

const valid = ajv.validate(schema, log);
const run = verdict.runs[0];
if (!valid || run.results.length > 0 || !run.invocations[0].executionSuccessful) {
  console.error(ajv.errors ?? "", run.results.map((result) => result.ruleId));
  process.exit(1);
}
