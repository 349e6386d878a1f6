/** A text field of the form that was submitted. */
export function text(event: SubmitEvent, name: string): string {
  const value = data(event).get(name);
  return typeof value === 'string' ? value : '';
}

export function checked(event: SubmitEvent, name: string): boolean {
  return data(event).has(name);
}

function data(event: SubmitEvent): FormData {
  return event.target instanceof HTMLFormElement ? new FormData(event.target) : new FormData();
}
