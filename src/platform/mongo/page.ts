/** A part of a list in the order of its ids: at most so many, after this one. */
export interface Page {
  limit: number;
  after?: string;
}

/** The condition on `_id` of what comes after. */
export function afterId({ after }: Page): { _id?: { $gt: string } } {
  return after === undefined ? {} : { _id: { $gt: after } };
}
