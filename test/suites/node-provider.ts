// The contract of providers of nodes for the cluster autoscaler, also when the process that uses one is killed.
import { describe, expect, test } from "vitest";
import type { NodeProvider } from "../../controllers/clusterautoscaler/ports.ts";

/** Two nodes that were there before, of at most five. */
export interface OpenProvider {
  /** A provider for a process; several have the same nodes. */
  readonly provider: NodeProvider;
  /** The names of the added nodes whose machine runs. */
  running(): Promise<readonly string[]>;
  /** Does this in a process that is killed after so many steps, whatever a step is for the provider. */
  killedAfter(steps: number, work: (provider: NodeProvider) => Promise<unknown>): Promise<void>;
}

const added = async ({ provider }: OpenProvider): Promise<readonly string[]> =>
  (await provider.list()).filter((node) => node.added).map(({ name }) => name);

export function nodeProviderSuite(name: string, open: () => OpenProvider, steps: number): void {
  describe(name, () => {
    test("a node is listed and runs once it is added", async () => {
      const opened = open();
      const before = await opened.provider.list();
      expect(before.map((node) => node.added)).toEqual([false, false]);
      const names = await opened.provider.create(2);
      expect(new Set([...names, ...before.map((node) => node.name)]).size).toBe(4);
      expect([await added(opened), await opened.running()]).toEqual([names, names]);
    });

    test("the maximum is not exceeded", async () => {
      const opened = open();
      const names = await opened.provider.create(2);
      await expect(opened.provider.create(2)).rejects.toThrow();
      expect(await added(opened)).toEqual(names);
    });

    test("a removed node is gone, and is removed again without an error", async () => {
      const opened = open();
      const [first, second] = await opened.provider.create(2);
      await opened.provider.remove(first!);
      await opened.provider.remove(first!);
      expect([await added(opened), await opened.running()]).toEqual([[second], [second]]);
    });

    test("only added nodes are removed", async () => {
      const opened = open();
      const [{ name: fixed } = { name: "" }] = await opened.provider.list();
      await expect(opened.provider.remove(fixed)).rejects.toThrow();
      expect(await opened.provider.list()).toHaveLength(2);
    });

    test.each(Array.from({ length: steps }, (_, i) => i))(
      "an addition killed after %i steps is completed",
      async (at) => {
        const opened = open();
        await opened.killedAfter(at, (provider) => provider.create(2));
        await opened.provider.recover();
        expect(await opened.running()).toEqual(await added(opened));
      },
    );

    test.each(Array.from({ length: steps }, (_, i) => i))(
      "a removal killed after %i steps is completed",
      async (at) => {
        const opened = open();
        const [first, second] = await opened.provider.create(2);
        await opened.killedAfter(at, (provider) => provider.remove(first!));
        const hadBegun = (await opened.running()).length < 2 || at > 0;
        await opened.provider.recover();
        expect(await opened.running()).toEqual(await added(opened));
        if (hadBegun) expect(await added(opened)).toEqual([second]);
      },
    );
  });
}
