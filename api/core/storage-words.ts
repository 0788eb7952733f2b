// Words that claims and volumes share.

/** Where a class was named before there was a field for it. */
export const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Every way to mount a volume, with the short word `kubectl get` has for it, in the order it lists them. */
const shortModes = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" };
export const accessModes: readonly string[] = Object.keys(shortModes).toSorted();
export const volumeModes: readonly string[] = ["Block", "Filesystem"];

/** `RWO,RWX` */
export const accessModesCell = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : []))
    .join(",");

/** Whoever says nothing of how far a volume or a claim has come means that it waits. */
export const phaseDefault = <S extends { readonly phase?: string }>(status: S): S => ({
  ...status,
  phase: status.phase || "Pending",
});
