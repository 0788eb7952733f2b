// Prints the ledger: how far each published behaviour is, and how many of each area are.
import { ledger, owed, stateOf, testedNames } from "./ledger.ts";

const tested = testedNames();
const rows = ledger.map((entry) => ({ ...entry, state: stateOf(entry, tested) }));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

for (const { state, area, feature, name } of rows) say(`${state.padEnd(7)} ${area} ${feature}: ${name}`);
say("");
for (const [area, all] of Map.groupBy(rows, (row) => row.area)) {
  const count = (state: string): string => String(all.filter((row) => row.state === state).length).padStart(4);
  say(`${area.padEnd(20)} tested ${count("tested")}   open ${count("open")}   later ${count("later")}`);
}
const due = rows.filter(({ when }) => owed.includes(when));
const done = due.filter(({ state }) => state === "tested");
say(`\n${done.length} of the ${due.length} owed now are tested; ${rows.length} in all`);
