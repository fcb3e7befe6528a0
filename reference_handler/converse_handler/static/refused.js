// A question that was not taken: what the handler, or what stands before it, says of it.

export class Refused extends Error {}
