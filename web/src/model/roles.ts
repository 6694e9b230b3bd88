// Which controls a role has. The daemon decides; the page only leaves out what it would refuse.

export type Role = 'none' | 'viewer' | 'operator' | 'admin';

export type Action =
  | 'look'
  | 'book'
  | 'release'
  | 'acknowledge'
  | 'silence'
  | 'monitor'
  | 'revoke'
  | 'optimize'
  | 'configure'
  | 'slow_down'
  | 'audit';

const order: Role[] = ['none', 'viewer', 'operator', 'admin'];

const needs: Record<Action, Role> = {
  look: 'viewer',
  book: 'operator',
  release: 'operator',
  acknowledge: 'operator',
  silence: 'operator',
  monitor: 'operator',
  revoke: 'admin',
  optimize: 'admin',
  configure: 'admin',
  slow_down: 'admin',
  audit: 'admin',
};

export function may(role: Role, action: Action): boolean {
  return order.indexOf(role) >= order.indexOf(needs[action]);
}

/** A role as the daemon says it; what is no role may nothing but look. */
export function roleOf(text: unknown): Role {
  return order.includes(text as Role) ? (text as Role) : 'viewer';
}
