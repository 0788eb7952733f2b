// The contract of a CSI driver's Controller service, as far as the controllers beside it rely on it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RpcError } from "../../csi/protocol/grpc.ts";
import type { DriverCalls } from "../../controllers/csi/sidecar.ts";

export interface OpenedDriver {
  readonly calls: DriverCalls;
  close(): Promise<void>;
}
const gibibyte = 1024 ** 3;
const capability = { mount: { fsType: "" }, accessMode: { mode: "SINGLE_NODE_MULTI_WRITER" } } as const;
const request = (name: string, gib = 1) => ({
  name,
  capacityRange: { requiredBytes: gib * gibibyte },
  volumeCapabilities: [capability],
});
const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "OK",
    (e: unknown) => (e instanceof RpcError ? e.code : e),
  );

export function csiControllerSuite(name: string, open: () => Promise<OpenedDriver>): void {
  describe(`controller service: ${name}`, () => {
    let driver: OpenedDriver;
    beforeAll(async () => {
      driver = await open();
    });
    afterAll(() => driver.close());

    const idOf = async (volume: string): Promise<string> =>
      (await driver.calls.CreateVolume(request(volume))).volume!.volumeId;
    const ids = async (): Promise<readonly string[]> =>
      (await driver.calls.ListVolumes({})).entries.map(({ volume }) => volume!.volumeId);

    test("a volume that is created again is the same one", async () => {
      const id = await idOf("a");
      expect(await idOf("a")).toBe(id);
      expect((await ids()).filter((other) => other === id)).toHaveLength(1);
    });

    test("another size under the same name is refused", async () => {
      await idOf("b");
      expect(await codeOf(driver.calls.CreateVolume(request("b", 2)))).toBe("ALREADY_EXISTS");
    });

    test("deleting is repeatable, and a new volume of the name is empty of the old one", async () => {
      const volumeId = await idOf("c");
      await driver.calls.DeleteVolume({ volumeId });
      await driver.calls.DeleteVolume({ volumeId });
      expect(await ids()).not.toContain(volumeId);
    });

    test("a volume grows and never shrinks", async () => {
      const volumeId = await idOf("d");
      const to = async (gib: number): Promise<number> =>
        (await driver.calls.ControllerExpandVolume({ volumeId, capacityRange: { requiredBytes: gib * gibibyte } }))
          .capacityBytes;
      expect([await to(2), await to(2), await to(1)]).toEqual([2 * gibibyte, 2 * gibibyte, 2 * gibibyte]);
      const missing = driver.calls.ControllerExpandVolume({ volumeId: "none", capacityRange: { requiredBytes: 1 } });
      expect(await codeOf(missing)).toBe("NOT_FOUND");
    });

    test("a snapshot is made once, listed, restored and deleted", async () => {
      const sourceVolumeId = await idOf("h");
      const make = () => driver.calls.CreateSnapshot({ name: "s", sourceVolumeId });
      const { snapshot } = await make();
      const { snapshotId } = snapshot!;
      expect((await make()).snapshot).toMatchObject({
        snapshotId,
        sourceVolumeId,
        readyToUse: true,
        sizeBytes: gibibyte,
      });
      expect((await driver.calls.ListSnapshots({ snapshotId })).entries).toHaveLength(1);
      const restored = { ...request("i"), volumeContentSource: { snapshot: { snapshotId } } };
      expect((await driver.calls.CreateVolume(restored)).volume?.contentSource?.snapshot).toEqual({ snapshotId });
      expect(await codeOf(driver.calls.CreateVolume(request("i")))).toBe("ALREADY_EXISTS");
      await driver.calls.DeleteSnapshot({ snapshotId });
      await driver.calls.DeleteSnapshot({ snapshotId });
      expect((await driver.calls.ListSnapshots({ snapshotId })).entries).toEqual([]);
      const late = { ...restored, name: "j" };
      expect(await codeOf(driver.calls.CreateVolume(late))).toBe("NOT_FOUND");
    });

    test("a copy says what it is a copy of", async () => {
      const volumeId = await idOf("e");
      const copied = { ...request("f"), volumeContentSource: { volume: { volumeId } } };
      expect((await driver.calls.CreateVolume(copied)).volume?.contentSource?.volume).toEqual({ volumeId });
      expect(
        await codeOf(
          driver.calls.CreateVolume({ ...copied, name: "g", volumeContentSource: { volume: { volumeId: "none" } } }),
        ),
      ).toBe("NOT_FOUND");
    });
  });
}
