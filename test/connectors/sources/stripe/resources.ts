/** How Stripe's reference lists each kind of object and tells of its changes: https://docs.stripe.com/api */
export interface Kind {
  path: string
  /** Types of https://docs.stripe.com/api/events/types, from the first to the last of an object's life. */
  created: string
  updated?: string
  deleted?: string
  /** The list takes no range of `created`. */
  unranged?: true
  filters?: string[]
}

export const CHANGING: Record<string, Kind> = {
  application_fees: {
    ...{ path: 'application_fees', created: 'application_fee.created' },
    updated: 'application_fee.refunded',
  },
  authorizations: kind('issuing/authorizations', 'issuing_authorization'),
  cardholders: kind('issuing/cardholders', 'issuing_cardholder'),
  cards: kind('issuing/cards', 'issuing_card'),
  charges: { path: 'charges', created: 'charge.succeeded', updated: 'charge.refunded' },
  // Nothing tells of a session before it ends.
  checkout_sessions: {
    ...{ path: 'checkout/sessions', created: 'checkout.session.completed' },
    updated: 'checkout.session.async_payment_succeeded',
  },
  coupons: kind('coupons', 'coupon', true),
  credit_notes: kind('credit_notes', 'credit_note'),
  customers: kind('customers', 'customer', true),
  disputes: kind('disputes', 'charge.dispute'),
  early_fraud_warnings: kind('radar/early_fraud_warnings', 'radar.early_fraud_warning'),
  invoice_items: {
    ...{ path: 'invoiceitems', created: 'invoiceitem.created', deleted: 'invoiceitem.deleted' },
  },
  invoices: kind('invoices', 'invoice', true),
  payment_intents: {
    ...{ path: 'payment_intents', created: 'payment_intent.created' },
    updated: 'payment_intent.succeeded',
  },
  payment_links: { ...kind('payment_links', 'payment_link'), unranged: true },
  payouts: { path: 'payouts', created: 'payout.created', updated: 'payout.paid' },
  plans: kind('plans', 'plan', true),
  prices: kind('prices', 'price', true),
  products: kind('products', 'product', true),
  promotion_codes: kind('promotion_codes', 'promotion_code'),
  quotes: {
    ...{ path: 'quotes', created: 'quote.created', updated: 'quote.accepted' },
    unranged: true,
  },
  refunds: kind('refunds', 'refund'),
  reviews: { path: 'reviews', created: 'review.opened', updated: 'review.closed' },
  setup_intents: {
    ...{ path: 'setup_intents', created: 'setup_intent.created' },
    updated: 'setup_intent.succeeded',
  },
  subscription_schedule: kind('subscription_schedules', 'subscription_schedule'),
  subscriptions: { ...kind('subscriptions', 'customer.subscription'), filters: ['status'] },
  tax_rates: kind('tax_rates', 'tax_rate'),
  top_ups: { path: 'topups', created: 'topup.created', updated: 'topup.succeeded' },
  transactions: kind('issuing/transactions', 'issuing_transaction'),
  transfers: kind('transfers', 'transfer'),
}

/** Listed by customer, with events. */
export const OF_CUSTOMER: Record<string, Kind & { object: string }> = {
  bank_accounts: {
    ...kind('customers/{customer}/sources', 'customer.source', true),
    ...{ object: 'bank_account', unranged: true, filters: ['object'] },
  },
  payment_methods: {
    path: 'customers/{customer}/payment_methods',
    ...{ created: 'payment_method.attached', updated: 'payment_method.updated' },
    ...{ object: 'payment_method', unranged: true },
  },
}

/** Listed by the moment of creation, which is all that can be asked for. */
export const CREATED: Record<string, string> = {
  accounts: 'accounts',
  balance_transactions: 'balance_transactions',
  file_links: 'file_links',
  files: 'files',
  invoice_payments: 'invoice_payments',
  shipping_rates: 'shipping_rates',
}

/** Parts of an object, by the stream of their owners. `by` names them where the path does not. */
export interface Part {
  owners: string
  path: string
  by?: string
  filters?: string[]
}

export const PARTS: Record<string, Part> = {
  application_fees_refunds: {
    ...{ owners: 'application_fees', path: 'application_fees/{owner}/refunds' },
  },
  checkout_sessions_line_items: {
    ...{ owners: 'checkout_sessions', path: 'checkout/sessions/{owner}/line_items' },
  },
  invoice_line_items: { owners: 'invoices', path: 'invoices/{owner}/lines' },
  payout_balance_transactions: { owners: 'payouts', path: 'balance_transactions', by: 'payout' },
  setup_attempts: { owners: 'setup_intents', path: 'setup_attempts', by: 'setup_intent' },
  subscription_items: { owners: 'subscriptions', path: 'subscription_items', by: 'subscription' },
  transfer_reversals: { owners: 'transfers', path: 'transfers/{owner}/reversals' },
}

/** Parts whose owners tell of no changes. */
export const WHOLE_PARTS: Record<string, Part & { object?: string }> = {
  customer_balance_transactions: {
    ...{ owners: 'customers', path: 'customers/{owner}/balance_transactions' },
  },
  external_account_bank_accounts: {
    ...{ owners: 'accounts', path: 'accounts/{owner}/external_accounts', object: 'bank_account' },
  },
  external_account_cards: {
    ...{ owners: 'accounts', path: 'accounts/{owner}/external_accounts', object: 'card' },
  },
  persons: { owners: 'accounts', path: 'accounts/{owner}/persons' },
}

function kind(path: string, prefix: string, deletes = false): Kind {
  const types = { created: `${prefix}.created`, updated: `${prefix}.updated` }
  return { path, ...types, ...(deletes ? { deleted: `${prefix}.deleted` } : {}) }
}
