// Compares the evaluation of generated queries with Prometheus' own. With --golden, writes a small set and Prometheus'
// results to a file, which test/unit/monitoring/promql.test.ts reads.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { evaluateQuery, isSame, type Result, selectFrom } from "./evaluate.ts";
import { generate } from "./generate.ts";

const { values } = parseArgs({
  options: {
    program: { type: "string" },
    seeds: { type: "string", default: "5" },
    queries: { type: "string", default: "2000" },
    golden: { type: "string" },
  },
});

function judged(input: object): readonly Result[] {
  const { status, stdout, stderr } = spawnSync(values.program!, {
    input: JSON.stringify(input),
    maxBuffer: 2 ** 30,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Result);
}

if (values.golden !== undefined) {
  const input = generate(1, { samples: 40, queries: Number(values.queries) });
  writeFileSync(values.golden, `${JSON.stringify({ ...input, results: judged(input) })}\n`);
} else {
  let different = 0;
  for (let seed = 1; seed <= Number(values.seeds); seed++) {
    const input = generate(seed, { samples: 240, queries: Number(values.queries) });
    const select = selectFrom(input.series);
    for (const [i, expected] of judged(input).entries()) {
      const query = input.queries[i]!;
      const found = await evaluateQuery(query, select);
      if (isSame(expected, found)) continue;
      different++;
      console.log(JSON.stringify({ seed, ...query }));
      console.log(`  Prometheus: ${JSON.stringify(expected).slice(0, 300)}`);
      console.log(`  here:       ${JSON.stringify(found).slice(0, 300)}`);
    }
  }
  console.log(`${Number(values.seeds) * Number(values.queries)} queries, ${different} with another result`);
  process.exitCode = different === 0 ? 0 : 1;
}
