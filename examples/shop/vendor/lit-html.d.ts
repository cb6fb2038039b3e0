/** The part of lit-html 3.3.3 that the shop uses. */
export interface TemplateResult { readonly _$litType$: number }
export const nothing: symbol;
export function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export function render(value: unknown, container: HTMLElement): unknown;
