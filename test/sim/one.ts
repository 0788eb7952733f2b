// node test/sim/one.ts SEED [COUNT [WORKLOAD...]]: lives through single seeds and says how each went.
import type { WorkloadName } from "./cluster.ts";
import { hashedLife } from "./history-hash.ts";

const [first = 1, count = 1] = process.argv.slice(2, 4).map(Number);
const workloads = process.argv.slice(4) as readonly string[] as readonly WorkloadName[];
const began = performance.now();
for (let seed = first; seed < first + count; seed++) {
  const { hash, commits, violations, unsettled } = await hashedLife({
    seed,
    ...(workloads.length > 0 && { workloads }),
  });
  if (count === 1 || violations.length > 0 || unsettled.length > 0)
    console.log(`seed ${seed}: ${commits} commits, hash ${hash.slice(0, 12)}`, violations.slice(0, 5), unsettled);
}
console.log(`${count} lives in ${Math.round(performance.now() - began)} ms`);
