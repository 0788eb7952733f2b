// How an answer is made to fit a datagram: what is merely helpful goes first, then as few answers as must. Pure.
import { encode, encodingLength, type Packet, TRUNCATED_RESPONSE } from "dns-packet";

/** The bytes of a reply within a limit. Who is told that answers are missing comes back over TCP. */
export function fitted(packet: Packet, limit: number): Buffer {
  if (encodingLength(packet) <= limit) return encode(packet);
  const bare: Packet = { ...packet, additionals: [] };
  if (encodingLength(bare) <= limit) return encode(bare);
  const shortened: Packet = { ...bare, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE };
  let answers = [...(packet.answers ?? [])];
  while (answers.length > 0 && encodingLength({ ...shortened, answers }) > limit) answers = answers.slice(0, -1);
  return encode({ ...shortened, answers });
}
