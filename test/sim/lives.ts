// Lives of many seeds, on several cores.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Life, Scenario } from "./cluster.ts";

/** What is the same for all lives; it crosses threads, so it has no functions. */
type SharedScenario = Pick<Scenario, "single" | "elections" | "workloads" | "minutes">;
/** A life that a thread has to run. */
export interface LifeOrder {
  readonly seed: number;
  readonly scenario: SharedScenario;
}
/** How it went. */
export type LifeResult = Life & { readonly seed: number };

export interface LivesOptions {
  readonly first: number;
  readonly count: number;
  readonly scenario?: SharedScenario;
  readonly threads?: number;
}

/** With the default young generation, a tenth of the time would be garbage collection. */
const youngMegabytes = 96;

/** The results, as they come. */
export async function* lives(options: LivesOptions): AsyncGenerator<LifeResult> {
  const { first, count, scenario = {}, threads = availableParallelism() } = options;
  const results: LifeResult[] = [];
  let [next, failure, notify] = [first, undefined as Error | undefined, (): void => {}];
  const workers = Array.from({ length: Math.min(threads, count) }, () => {
    const worker = new Worker(join(import.meta.dirname, "lives-worker.ts"), {
      resourceLimits: { maxYoungGenerationSizeMb: youngMegabytes },
    });
    const order = (): void => {
      if (next < first + count) worker.postMessage({ seed: next++, scenario } satisfies LifeOrder);
    };
    worker.on("message", (result: LifeResult) => {
      results.push(result);
      order();
      notify();
    });
    worker.on("error", (error) => {
      failure = error as Error;
      notify();
    });
    order();
    return worker;
  });
  try {
    for (let received = 0; received < count; received++) {
      while (results.length === 0 && failure === undefined)
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      if (failure) throw failure;
      yield results.shift()!;
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
