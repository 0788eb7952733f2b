// Prints the state of each published behaviour, and the totals of each area.
import { ledger, requiredRounds, stateOf, testedNames } from "./ledger.ts";

const tested = testedNames();
const rows = ledger.map((entry) => ({ ...entry, state: stateOf(entry, tested) }));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

for (const { state, area, feature, name } of rows) print(`${state.padEnd(7)} ${area} ${feature}: ${name}`);
print("");
for (const [area, all] of Map.groupBy(rows, (row) => row.area)) {
  const count = (state: string): string => String(all.filter((row) => row.state === state).length).padStart(4);
  print(`${area.padEnd(20)} tested ${count("tested")}   open ${count("open")}   later ${count("later")}`);
}
const due = rows.filter(({ when }) => requiredRounds.includes(when));
const done = due.filter(({ state }) => state === "tested");
print(`\n${done.length} of the ${due.length} required now are tested; ${rows.length} in all`);
