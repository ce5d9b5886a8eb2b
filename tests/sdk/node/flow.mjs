// The whole flow through Plaid's Node.js SDK. Usage: node flow.mjs <base URL> <client id> <secret>

import assert from 'node:assert/strict';

import { Configuration, PlaidApi } from 'plaid';

const [basePath, clientId, secret] = process.argv.slice(2);

function connect(key) {
  const headers = { 'PLAID-CLIENT-ID': clientId, 'PLAID-SECRET': key };
  return new PlaidApi(new Configuration({ basePath, baseOptions: { headers, proxy: false } }));
}

const api = connect(secret);

async function refused(promise, errorType, errorCode) {
  const error = await promise.then(
    () => assert.fail(`not refused: ${errorCode}`),
    (failure) => failure,
  );
  assert.equal(error.response?.status, 400, String(error));
  assert.equal(error.response.data.error_type, errorType);
  assert.equal(error.response.data.error_code, errorCode);
  assert.ok(error.response.data.request_id);
}

async function link() {
  const created = await api.sandboxPublicTokenCreate({
    institution_id: 'ins_109508',
    initial_products: ['auth', 'identity'],
  });
  const { public_token } = created.data;
  assert.match(public_token, /^public-sandbox-/);
  const exchanged = await api.itemPublicTokenExchange({ public_token });
  await refused(
    api.itemPublicTokenExchange({ public_token }),
    'INVALID_INPUT',
    'INVALID_PUBLIC_TOKEN',
  );
  return exchanged.data;
}

const { access_token, item_id } = await link();

const item = await api.itemGet({ access_token });
assert.equal(item.data.item.item_id, item_id);
assert.equal(item.data.item.error, null);

const listed = await api.accountsGet({ access_token });
assert.equal(listed.data.accounts.length, 9);
const { account_id } = listed.data.accounts[0];

const minted = await api.processorTokenCreate({ access_token, account_id, processor: 'dwolla' });
const { processor_token } = minted.data;
assert.match(processor_token, /^processor-sandbox-/);

const fresh = await api.processorTokenPermissionsGet({ processor_token });
assert.deepEqual(fresh.data.products, []);

const auth = await api.processorAuthGet({ processor_token });
assert.equal(auth.data.account.account_id, account_id);
assert.equal(auth.data.numbers.ach.account, '1111222233330000');
assert.equal(auth.data.numbers.ach.routing, '011401533');
assert.equal(auth.data.numbers.eft, null);

const identity = await api.processorIdentityGet({ processor_token });
assert.deepEqual(identity.data.account.owners[0].names, ['Alberta Bobbeth Charleson']);

const balance = await api.processorBalanceGet({ processor_token });
assert.equal(balance.data.account.balances.available, 100);

const account = await api.processorAccountGet({ processor_token });
assert.equal(account.data.institution_id, 'ins_109508');
assert.equal(account.data.account.mask, '0000');

await api.processorTokenPermissionsSet({ processor_token, products: ['identity'] });
const narrowed = await api.processorTokenPermissionsGet({ processor_token });
assert.deepEqual(narrowed.data.products, ['identity']);
await refused(api.processorAuthGet({ processor_token }), 'INVALID_INPUT', 'INVALID_PRODUCT');
await api.processorIdentityGet({ processor_token });

const stripe = await api.processorStripeBankAccountTokenCreate({ access_token, account_id });
assert.match(stripe.data.stripe_bank_account_token, /^btok_\w+$/);

// Eight calls at the same time, each answered with what it asked for.
const readers = [api.accountsGet, api.authGet, api.identityGet, api.itemGet];
const answers = await Promise.all(
  [...readers, ...readers].map((read) => read.call(api, { access_token })),
);
for (const answer of answers) {
  assert.equal(answer.data.item.item_id, item_id);
}
assert.equal(new Set(answers.map((answer) => answer.data.request_id)).size, 8);

const items = await Promise.all(Array.from({ length: 8 }, link));
assert.equal(new Set(items.map((one) => one.item_id)).size, 8);

await refused(connect('wrong').itemGet({ access_token }), 'INVALID_INPUT', 'INVALID_API_KEYS');

await api.itemRemove({ access_token });
await refused(api.accountsGet({ access_token }), 'ITEM_ERROR', 'ITEM_NOT_FOUND');
await refused(api.processorIdentityGet({ processor_token }), 'ITEM_ERROR', 'ITEM_NOT_FOUND');

console.log('flow complete');
