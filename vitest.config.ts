import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Files share their imports: modules keep no state between tests, and loading takes longer than the tests. */
const sharedModules = { isolate: false };
/** Long enough for a busy machine, and short enough to end a test that hangs. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };

/** From fast to slow. The first four need neither root nor Docker; e2e runs on a real cluster. */
export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: ["test/tidy.test.ts", "test/unit/**/*.test.ts"], ...timeouts, ...sharedModules },
      },
      { test: { name: "suites", include: ["test/suites/**/*.test.ts"], ...timeouts, ...sharedModules } },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], ...timeouts } },
      { test: { name: "sim", include: ["test/sim/**/*.test.ts"], ...timeouts, testTimeout: 300_000 } },
      { test: { name: "security", include: ["test/security/**/*.test.ts"], ...timeouts, ...sharedModules } },
      { test: { name: "hostile", include: ["test/hostile/**/*.test.ts"] } },
      {
        test: {
          name: "etcd",
          include: ["test/etcd/**/*.test.ts", "test/kubectl/**/*.test.ts"],
          ...timeouts,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          // `up` sets the current context, which must not change the kubeconfig of the user.
          env: { KUBECONFIG: join(tmpdir(), `orrery-test-kubeconfig-${process.pid}`) },
        },
      },
    ],
  },
});
