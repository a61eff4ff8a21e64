/** How often a fault of the plan has fired. */
export interface FaultCount {
  readonly name: string;
  readonly index: number;
  readonly fired: number;
}
