import { VeilcastError } from './errors.js';
import { parseFault, parseJson } from './parse.js';

/** A REST call: the parsed body, or a `VeilcastError` in the server's own words. */
export async function call<T>(request: Request, parse: (value: unknown) => T): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(request);
    text = await response.text();
  } catch {
    throw VeilcastError.local('unreachable');
  }
  if (!response.ok) throw refusal(text);
  try {
    return parse(text === '' ? null : parseJson(text));
  } catch {
    throw VeilcastError.local('answer-unusable');
  }
}

function refusal(text: string): VeilcastError {
  try {
    return VeilcastError.refused(parseFault(parseJson(text)));
  } catch {
    // A proxy in front of the server answered instead of it.
    return VeilcastError.local('unreachable');
  }
}
