// Truncates a DNS reply to the size of a datagram: additional records first, then answers. Pure.
import { encode, encodingLength, type Packet, TRUNCATED_RESPONSE } from "dns-packet";

/** Encodes a reply within `limit` bytes; without all its answers it carries the TC flag, which asks for TCP. */
export function encodeWithin(packet: Packet, limit: number): Buffer {
  if (encodingLength(packet) <= limit) return encode(packet);
  const bare: Packet = { ...packet, additionals: [] };
  if (encodingLength(bare) <= limit) return encode(bare);
  const shortened: Packet = { ...bare, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE };
  let answers = [...(packet.answers ?? [])];
  while (answers.length > 0 && encodingLength({ ...shortened, answers }) > limit) answers = answers.slice(0, -1);
  return encode({ ...shortened, answers });
}
