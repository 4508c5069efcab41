// SPDX-License-Identifier: AGPL-3.0-or-later
// Reads the answer of `npm audit --json` and fails when it names a vulnerability that has a fix.
import { readFileSync } from 'node:fs';

const folder = process.argv[2];
let answer;
try {
  answer = JSON.parse(readFileSync(0, 'utf8'));
} catch {
  answer = {};
}
if (!answer.vulnerabilities) {
  console.log(`note: npm audit is not reachable: ${folder} is not checked`);
} else {
  const found = Object.values(answer.vulnerabilities).filter((entry) => entry.fixAvailable);
  for (const { name, severity, range } of found) console.log(`${folder}: ${name} ${range} (${severity}) has a fix`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
