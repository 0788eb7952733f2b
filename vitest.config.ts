import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Files share what they import: nothing here keeps anything between tests, and loading costs more than they do. */
const together = { isolate: false };
/** A busy machine takes its time; what hangs is found out all the same. */
const patient = { testTimeout: 60_000, hookTimeout: 60_000 };

/** From fast to slow: the first four need neither root nor Docker; e2e is a user's story on a real cluster. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/tidy.test.ts", "test/unit/**/*.test.ts"], ...patient, ...together } },
      { test: { name: "suites", include: ["test/suites/**/*.test.ts"], ...patient, ...together } },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], ...patient } },
      { test: { name: "sim", include: ["test/sim/**/*.test.ts"], ...patient, testTimeout: 300_000 } },
      { test: { name: "hostile", include: ["test/hostile/**/*.test.ts"] } },
      {
        test: {
          name: "etcd",
          include: ["test/etcd/**/*.test.ts", "test/kubectl/**/*.test.ts"],
          ...patient,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          // `up` makes its cluster the current context: not in the kubeconfig of the user who runs the tests.
          env: { KUBECONFIG: join(tmpdir(), `orrery-test-kubeconfig-${process.pid}`) },
        },
      },
    ],
  },
});
