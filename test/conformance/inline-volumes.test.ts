// The API of inline CSI volumes; nothing is mounted.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { patched, refused } from "./requests.ts";

behaviour("CSIInlineVolumes should support CSIVolumeSource in Pod API", async ({ send, client, namespace }) => {
  const core = client(CoreV1Api);
  const name = "inline-volume";
  const csi = { driver: "e2e.example.com", readOnly: true, volumeAttributes: { size: "1Gi" } };
  const container = { name: "c", image: "pause:1", volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] };
  const body = {
    metadata: { name, labels: { [name]: namespace } },
    spec: { containers: [container], volumes: [{ name: "scratch", csi }] },
  };
  await core.createNamespacedPod({ namespace, body });
  const read = await core.readNamespacedPod({ namespace, name });
  expect(read.spec?.volumes?.find((v) => v.name === "scratch")?.csi).toEqual(csi);
  const { items } = await core.listPodForAllNamespaces({ labelSelector: `${name}=${namespace}` });
  expect(items.map((p) => p.metadata?.name)).toEqual([name]);
  const changed = await patched(send, `/api/v1/namespaces/${namespace}/pods/${name}`, {
    metadata: { labels: { a: "b" } },
  });
  expect(changed.spec.volumes[0].csi).toEqual(csi);
  await core.deleteNamespacedPod({ namespace, name });
  expect((await refused(core.readNamespacedPod({ namespace, name }))).code).toBe(404);
});
