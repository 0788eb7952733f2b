// Defaults of claims, volumes and ingresses, and the expansion of claims.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import type { PersistentVolumeClaim, StorageClass } from "../../../api/generated/types.ts";
import { ingressClasses, ingresses } from "../../../api/networking/ingresses.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject, Draft } from "../../../api/meta.ts";
import type { Client } from "../../../machinery/client.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

type Class = readonly [name: string, more: object];

/** A server with these classes, created one second apart. */
async function serverWith(r: ResourceDefinition, classes: readonly Class[]): Promise<Client> {
  const clock = virtualClock();
  const world = { clock, random: seeded(1), log: () => {} };
  const client = await bootstrappedClient(world);
  for (const [name, { annotations, ...more }] of classes as readonly [string, { annotations?: object }][]) {
    await client.create(r, { kind: r.kind, metadata: { name, annotations }, ...more } as unknown as Draft<ApiObject>);
    await clock.run((clock.now() + 1000) as never);
  }
  return client;
}
const provisioner = { provisioner: "example.com/disks" };
const marked = (annotation: string): object => ({ annotations: { [annotation]: "true" } });
const storage = (name: string, more: object = {}): Class => [name, { ...provisioner, ...more }];
const defaultStorage = marked("storageclass.kubernetes.io/is-default-class");

const claim = (spec: object = {}, annotations?: object): Draft<PersistentVolumeClaim> =>
  ({
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default", annotations },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  }) as unknown as Draft<PersistentVolumeClaim>;

const defaulted: readonly (readonly [
  what: string,
  of: readonly Class[],
  draft: object,
  expected: string | undefined,
])[] = [
  ["no default class", [storage("slow")], claim(), undefined],
  [
    "a claim without a class gets the default class",
    [storage("slow"), storage("fast", defaultStorage)],
    claim(),
    "fast",
  ],
  [
    "the beta annotation also marks the default class",
    [storage("fast", marked("storageclass.beta.kubernetes.io/is-default-class"))],
    claim(),
    "fast",
  ],
  [
    "the newest of two default classes",
    [storage("b", defaultStorage), storage("c", defaultStorage), storage("a")],
    claim(),
    "c",
  ],
  ["a class in the claim is kept", [storage("fast", defaultStorage)], claim({ storageClassName: "slow" }), "slow"],
  ["an empty class name is kept", [storage("fast", defaultStorage)], claim({ storageClassName: "" }), ""],
  [
    "the beta annotation of a claim is kept",
    [storage("fast", defaultStorage)],
    claim({}, { "volume.beta.kubernetes.io/storage-class": "slow" }),
    undefined,
  ],
];
for (const [what, of, draft, expected] of defaulted)
  test(`default storage class: ${what}`, async () => {
    const client = await serverWith(storageClasses, of);
    const made = await client.create(persistentVolumeClaims, draft as Draft<PersistentVolumeClaim>);
    expect(made.spec?.storageClassName).toBe(expected);
  });

test("claims and volumes are created with protection finalizers", async () => {
  const client = await serverWith(storageClasses, []);
  const made = await client.create(persistentVolumeClaims, claim());
  expect(made.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
  const volume = {
    kind: "PersistentVolume",
    metadata: { name: "pv", finalizers: ["example.com/mine", "kubernetes.io/pv-protection"] },
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } },
  } as const;
  expect((await client.create(persistentVolumes, volume)).metadata.finalizers).toEqual(volume.metadata.finalizers);
});

const onlyExpandable =
  "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
const expandable = { allowVolumeExpansion: true } satisfies Partial<StorageClass>;
const growing: readonly (readonly [what: string, of: readonly Class[], className: string, string?])[] = [
  ["the class allows expansion", [storage("c", expandable)], "c"],
  ["the class does not allow expansion", [storage("c")], "c", onlyExpandable],
  ["the class does not exist", [], "c", onlyExpandable],
  ["no class", [], "", onlyExpandable],
];
for (const [what, of, storageClassName, expected] of growing)
  test(`claim expansion: ${what}`, async () => {
    const client = await serverWith(storageClasses, of);
    const made = await client.create(persistentVolumeClaims, claim({ storageClassName, volumeName: "pv" }));
    const capacity = { storage: "1Gi" };
    const bound = await client.update(
      persistentVolumeClaims,
      { ...made, status: { phase: "Bound", capacity } },
      "status",
    );
    const larger = { ...bound, spec: { ...bound.spec, resources: { requests: { storage: "2Gi" } } } };
    const grown = client.update(persistentVolumeClaims, larger).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(await grown).toBe(expected && `persistentvolumeclaims "data" is forbidden: ${expected}`);
  });

const defaultIngress = marked("ingressclass.kubernetes.io/is-default-class");
const controller = (more: object = {}): object => ({ spec: { controller: "example.com/proxy" }, ...more });
const routed: readonly (readonly [what: string, of: readonly Class[], own: object, expected: string | undefined])[] = [
  ["no default class", [["a", controller()]], {}, undefined],
  [
    "an ingress without a class gets the default class",
    [
      ["a", controller()],
      ["b", controller(defaultIngress)],
    ],
    {},
    "b",
  ],
  ["a class in the ingress is kept", [["b", controller(defaultIngress)]], { ingressClassName: "a" }, "a"],
  [
    "the annotation of an ingress is kept",
    [["b", controller(defaultIngress)]],
    { annotations: { "kubernetes.io/ingress.class": "a" } },
    undefined,
  ],
];
for (const [what, of, { annotations, ...own }, expected] of routed as readonly (readonly [
  string,
  readonly Class[],
  { annotations?: object },
  string | undefined,
])[])
  test(`default ingress class: ${what}`, async () => {
    const client = await serverWith(ingressClasses, of);
    const spec = { defaultBackend: { service: { name: "web", port: { number: 80 } } }, ...own };
    const draft = { kind: "Ingress", metadata: { name: "web", namespace: "default", annotations }, spec };
    const made = await client.create(ingresses, draft as never);
    expect(made.spec?.ingressClassName).toBe(expected);
  });
