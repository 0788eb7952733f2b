// Which conformance specs are run together, and which are not run because what they test is not built. Pure.

/** Specs that one run of ginkgo executes. Serial specs disturb each other and run one at a time. */
export interface Area {
  readonly name: string;
  readonly sigs: readonly string[];
  readonly isSerial?: true;
}
export const areas: readonly Area[] = [
  { name: "api-machinery", sigs: ["api-machinery"] },
  { name: "apps", sigs: ["apps"] },
  { name: "network", sigs: ["network"] },
  { name: "node", sigs: ["node"] },
  { name: "storage", sigs: ["storage"] },
  { name: "others", sigs: ["architecture", "auth", "cli", "instrumentation", "scheduling"] },
  {
    name: "serial",
    sigs: [
      ...["api-machinery", "apps", "architecture", "auth", "cli"],
      ...["instrumentation", "network", "node", "scheduling", "storage"],
    ],
    isSerial: true,
  },
];

/** What is not built, and the names of the specs that need it. Each would only wait for its time limit. */
export const notBuilt: readonly { readonly what: string; readonly specs: RegExp }[] = [
  {
    what: "custom resources",
    specs: /CustomResource|FieldValidation .*\bCRD?\b|AggregatedDiscovery .*\bCRDs\b/,
  },
  { what: "admission webhooks", specs: /AdmissionWebhook/ },
  { what: "admission policies", specs: /AdmissionPolicy/ },
  { what: "API aggregation", specs: /Aggregator/ },
  { what: "volumes that are provisioned", specs: /CSI|PersistentVolume|VolumeAttachment|VolumeAttributesClass/ },
  { what: "preemption", specs: /SchedulerPreemption/ },
];

/** The area of a conformance spec; every spec has one. */
export const areaOf = (spec: string): Area | undefined =>
  areas.find(
    (a) => (a.isSerial ?? false) === spec.includes("[Serial]") && a.sigs.some((s) => spec.includes(`[sig-${s}]`)),
  );

/** What a spec waits for, if it is something that is not built. */
export const missingFor = (spec: string): string | undefined => notBuilt.find(({ specs }) => specs.test(spec))?.what;
