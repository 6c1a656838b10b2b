# What is done here from day to day. Needed: Rust, Python 3.11 or newer with venv, Node.js; the other tools are installed under
# .venv/ by the targets that use them, in the versions of tools/requirements-*.txt.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
ARCHITECTURE ?= x86_64

# What the development builds have; what is deployed has FEATURES. One set for run, test and e2e, so that one build
# serves them all.
DEVELOPMENT := --features cedar

# The binaries that are run here. `make template` and `make e2e` take those that the tests were built with: another set of features of the
# dependencies would build the AWS clients a second time.
BINARIES ?= cargo build --locked $(DEVELOPMENT) --bin authorizer --bin revoker --bin enricher --bin authctl

# An environment each: MiniStack pins a botocore that the SAM CLI does not take.
LOCAL := .venv/local
SAM := .venv/sam

say = @printf '\n==> %s\n' "$(1)"

export ARCHITECTURE
export FEATURES
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The stack's name in the account, its template, and what else of the template's parameters is to be set: PARAMETERS="LogRetentionDays=7".
STACK ?= cognito-authorizer
TEMPLATE ?= template.yaml
PARAMETERS ?=

# A parameter that has a variable of its own, where somebody set that: it may be empty.
given = $(if $(filter-out undefined file default,$(origin $1)),'$2=$($1)')

.PHONY: run
run: $(LOCAL)/.ready $(SAM)/.ready ## The template on a local AWS, with real requests to its APIs (KEEP=1 keeps it up, FEATURES=cedar adds a Cedar route)
	$(call say,Building the functions: two minutes on two cores the first time; seconds later)
	cargo build --locked $(if $(FEATURES),--features $(FEATURES)) --bin authorizer --bin revoker --bin enricher --bin authctl
	$(LOCAL)/bin/python demo/run.py $(if $(KEEP),--keep)

# Where `make watch` listens: cargo-lambda for invocations, authctl for issuers and the playground.
INVOKE_PORT ?= 9000
DEV_PORT ?= 9002
DEBUG := $(abspath $(or $(CARGO_TARGET_DIR),target))/debug

# cargo-lambda starts the function by `cargo run`, and Cargo starts it by this, at each reload: so it always has the configuration as it is now.
.PHONY: watch
watch: $(LOCAL)/.ready ## The function under `cargo lambda watch`, with local issuers and the playground; no AWS (FEATURES=cedar, DEV="--set NAME=VALUE")
	$(call say,Building authctl and the function: two minutes on two cores the first time; seconds later)
	cargo build --locked $(if $(FEATURES),--features $(FEATURES)) --bin authorizer --bin revoker --bin enricher --bin authctl
	$(call say,Watching. In another terminal: make invoke EVENT=events/rest-request.json TOKEN=admin)
	PATH="$(CURDIR)/$(LOCAL)/bin:$$PATH" $(DEBUG)/authctl dev --port $(DEV_PORT) $(DEV) -- \
		cargo lambda watch --bin authorizer --locked $(if $(FEATURES),--features $(FEATURES)) --invoke-address 127.0.0.1 --invoke-port $(INVOKE_PORT) \
		--config "target.'cfg(all())'.runner = ['$(DEBUG)/authctl', 'dev', 'exec']"

# An invocation waits while the function is built, and would wait for ever where it cannot be.
.PHONY: invoke
invoke: $(LOCAL)/.ready ## Send an event with a real token to `make watch`: EVENT=events/rest-request.json [TOKEN=admin, a persona]
	@umask 077 && mkdir -p .authctl && $(DEBUG)/authctl dev event '$(or $(EVENT),$(error EVENT= is needed))' $(if $(TOKEN),--as '$(TOKEN)') > .authctl/event.json
	@PATH="$(CURDIR)/$(LOCAL)/bin:$$PATH" $(if $(shell command -v timeout),timeout 300) \
		cargo lambda invoke authorizer --invoke-address 127.0.0.1 --invoke-port $(INVOKE_PORT) --data-file .authctl/event.json

# What `unit` built serves all that follows: with other features of the dependencies the AWS clients would be built again.
.PHONY: test
test: export BINARIES := cargo test --locked $(DEVELOPMENT) --no-run --test docs
test: fmt lint layers unit table examples live signing template couplings terraform recipes cdk e2e dev doc ## All of the checks below

.PHONY: quick
quick: fmt lint layers ## What to run before each commit: formatting, Clippy, layers, unit tests (Rust alone)
	$(call say,Unit tests)
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked $(DEVELOPMENT) --lib --bins; \
		else cargo test --locked $(DEVELOPMENT) --lib --bins; fi

.PHONY: fmt
fmt: ## The code is formatted
	$(call say,Formatting)
	cargo fmt --check

.PHONY: lint
lint: ## Clippy finds nothing
	$(call say,Clippy)
	cargo clippy --all-targets --locked $(DEVELOPMENT) -- -D warnings

.PHONY: layers
layers: ## Modules import only what their layer may; the pure ones stay pure
	$(call say,Layers)
	$(PYTHON) tools/layers.py

.PHONY: unit
unit: ## Unit, integration and documentation tests
	$(call say,Unit and integration tests)
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked $(DEVELOPMENT); \
		else cargo test --lib --bins --tests --locked $(DEVELOPMENT); fi
	cargo test --doc --locked $(DEVELOPMENT)

.PHONY: live
live: $(LOCAL)/.ready tests/oidc_provider/node_modules/.ready ## Live checks and revoking against real parts: MiniStack, an OpenID provider
	$(call say,Live checks with real parts)
	MINISTACK="$(CURDIR)/$(LOCAL)/bin/ministack" cargo test --locked $(DEVELOPMENT) --test real_parts --test revoking -- --ignored

.PHONY: signing
signing: .venv/signing/.ready tests/signing_clients/node_modules/.ready ## Requests that PyPI's and npm's libraries sign are accepted
	$(call say,Signed requests)
	cargo test --locked $(DEVELOPMENT) --test credentials signing_clients -- --ignored

.PHONY: template
template: export BINARIES := cargo test --locked $(DEVELOPMENT) --no-run --test docs
template: $(SAM)/.ready $(LOCAL)/.ready ## template.yaml is valid and builds; the zip holds what it should
	$(call say,SAM template)
	$(SAM)/bin/sam validate --lint
	$(SAM)/bin/sam validate --lint --template-file template-authorizer.yaml
	$(SAM)/bin/cfn-lint template.yaml template-authorizer.yaml examples/*/template.yaml
	PYTHONPATH=tests/stack $(SAM)/bin/python tests/stack/deployer.py
	$(SAM)/bin/sam build --build-dir .aws-sam/check
	diff <(printf '%s\n' authorizer.yaml bootstrap) <(ls -A .aws-sam/check/AuthorizerFunction)
	diff <(printf '%s\n' bootstrap) <(ls -A .aws-sam/check/RevokerFunction)
	diff <(printf '%s\n' bootstrap enricher.yaml) <(ls -A .aws-sam/check/EnricherFunction)
	$(call say,A build without Cedar refuses policies)
	tools/refuses-cedar.sh .aws-sam/check/AuthorizerFunction/bootstrap
	$(MAKE) check

# What the function's environment gives to authorizer.yaml, for who has no stack yet.
check_values := USER_POOL_ID=us-east-1_AbCdEf123 CLIENT_IDS=web REVOCATIONS_TABLE=revocations \
	JWKS_URI=https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123/.well-known/jwks.json

.PHONY: check
check: ## authorizer.yaml has no faults, template.yaml attaches it the right way (authctl check), and it answers as its tests say (authctl test)
	$(call say,authctl check)
	$(BINARIES)
	$(or $(AUTHCTL),"$${CARGO_TARGET_DIR:-target}/debug/authctl") check $(if $(TEMPLATE),--template $(TEMPLATE)) --strict $(check_values:%=--set %) $(CHECK)
	if [ -f authorizer.test.yaml ]; then $(or $(AUTHCTL),"$${CARGO_TARGET_DIR:-target}/debug/authctl") test; fi

.PHONY: table
table: ## authorizer.yaml lets in and refuses as authorizer.test.yaml says (authctl test)
	$(call say,authctl test)
	$(BINARIES)
	$(or $(AUTHCTL),"$${CARGO_TARGET_DIR:-target}/debug/authctl") test --require-coverage

.PHONY: examples
examples: ## The examples let in and refuse as their own tests say (authctl test)
	$(call say,Examples)
	$(BINARIES)
	$(or $(AUTHCTL),"$${CARGO_TARGET_DIR:-target}/debug/authctl") test --require-coverage examples/*/authorizer.test.yaml

.PHONY: schemas
schemas: ## Make the JSON Schemas of authorizer.yaml and authorizer.test.yaml out of the documents
	$(BINARIES)
	mkdir -p schemas
	"$${CARGO_TARGET_DIR:-target}/debug/authctl" schema config > schemas/authorizer.schema.json
	"$${CARGO_TARGET_DIR:-target}/debug/authctl" schema tests > schemas/authorizer.test.schema.json

.PHONY: templates
templates: $(LOCAL)/.ready ## Make template-authorizer.yaml and the CDK construct's template out of template.yaml, after a change to it
	$(PYTHON) tools/authorizer_template.py
	$(LOCAL)/bin/python tools/cdk_template.py

.PHONY: couplings
couplings: $(LOCAL)/.ready ## template.yaml and authorizer.yaml fit: routes, cache keys, permissions
	$(call say,Couplings)
	$(LOCAL)/bin/python -m unittest discover --start-directory tests/stack --pattern 'test_*.py'

.PHONY: terraform
terraform: .venv/terraform/.ready ## The Terraform module agrees with template.yaml and, as far as Terraform can be had, is valid
	$(call say,Terraform module)
	.venv/terraform/bin/python tests/terraform/test_module.py

.PHONY: recipes
recipes: tests/recipes/node_modules/.ready ## The CDK recipe of docs/deploy.md, synthesised, is the template that is checked
	$(call say,CDK recipe)
	diff <(node tests/recipes/synth.mjs docs/deploy.md) tests/recipes/cdk.template.json

# Not among the tests: the build takes ten minutes of two cores. When it was last run stands in docs/performance.md.
.PHONY: arm64
arm64: $(LOCAL)/.ready ## Build for arm64 with Debian's toolchain, and run the black-box tests on it under QEMU (STEP=build|test)
	$(call say,arm64)
	DEVELOPMENT='$(DEVELOPMENT)' tools/arm64.sh $(STEP)

.PHONY: cdk
cdk: cdk/node_modules/.ready $(LOCAL)/.ready ## The CDK construct builds (jsii), and what it synthesises is right
	$(call say,CDK construct)
	$(LOCAL)/bin/python tools/cdk_template.py --check
	cd cdk && npm run --silent build 2>&1 | grep -v '^!!' && npm test --silent

.PHONY: e2e
e2e: export FEATURES := cedar
e2e: export BINARIES := cargo test --locked $(DEVELOPMENT) --no-run --test docs
e2e: $(LOCAL)/.ready $(SAM)/.ready tests/mcp/node_modules/.ready ## The template on a local AWS: every row of the run above and more, smoke, destroy
	$(call say,End to end)
	$(BINARIES)
	$(LOCAL)/bin/python tests/stack/e2e.py

.PHONY: dev
dev: $(LOCAL)/.ready .venv/browser/.ready ## `make watch`, `make invoke` and the playground in a browser
	$(call say,Watch and invoke)
	$(PYTHON) -m unittest tests/dev/test_watch.py
	$(call say,The playground)
	$(BINARIES)
	AUTHCTL="$(DEBUG)/authctl" .venv/browser/bin/python -m unittest tests/dev/test_playground.py

.PHONY: doc
doc: ## The documentation of the code builds without a warning
	$(call say,Documentation)
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked $(DEVELOPMENT)

.PHONY: bench
bench: ## Whole invocations and cold starts, beside other authorizers
	$(call say,Benchmarks)
	cargo run --release --locked --manifest-path benches/Cargo.toml --package invocations \
		--target-dir "$${CARGO_TARGET_DIR:-target}" -- $(BENCH)

.PHONY: prove
prove: ## Millions of random tables against the policies answered for them (COVERAGE_CASES=..., COVERAGE_SEED=...)
	$(call say,Cached policies and path safety on random tables)
	COVERAGE_CASES=$${COVERAGE_CASES:-5000000} COVERAGE_SEED=$${COVERAGE_SEED:-random} \
		cargo test --release --locked --test coverage -- --nocapture

# Each takes as long as it is told, after a build of its own. A few seconds of the same are among the unit tests.
.PHONY: fuzz
fuzz: ## Fuzz for TIME seconds each: events, tokens, certificates, signatures, key sets, configurations, paths (TARGET=... for one), then prove
	$(call say,Fuzzing)
	tools/fuzz.sh $(or $(TIME),60) $(TARGET)
	$(if $(TARGET),,$(MAKE) prove)

# A build for each: a minute or so. What is reported in target/mutants.out/missed.txt weakens something, or is the same in other words.
.PHONY: mutants
mutants: .tools/bin/cargo-mutants ## Change the code of FILES in one place after the other: a test must fail each time (hours)
	$(call say,Mutants of $(or $(FILES),src/access and src/token))
	.tools/bin/cargo-mutants mutants --output target --timeout 300 --cargo-arg=--locked $(DEVELOPMENT) \
		$(patsubst %,--file '%',$(or $(FILES),src/access/** src/token/**)) $(MUTANTS) -- --lib --test coverage --test vectors --test it

# Not among the tests: it takes minutes to install. What can be said without it is in tests/docs/supply_chain.rs.
.PHONY: deny
deny: .tools/bin/cargo-deny ## Licences, bans and sources of the dependencies
	$(call say,cargo-deny)
	.tools/bin/cargo-deny --locked check licenses bans sources

.PHONY: release
release: $(LOCAL)/.ready .tools/bin/cargo-cyclonedx ## Packages, bills of materials, provenance, checksums, into target/release-files: [ARCHITECTURES="x86_64 arm64"]
	$(call say,Release for $(or $(ARCHITECTURES),$(ARCHITECTURE)))
	ARCHITECTURES='$(or $(ARCHITECTURES),$(ARCHITECTURE))' tools/release.sh target/release-files

.PHONY: reproducible
reproducible: ## Build the release twice from nothing: it must be the same, byte for byte
	$(call say,Two builds)
	tools/reproducible.sh

.PHONY: soak
soak: ## COUNT invocations in one process with rotating keys (2,000,000; SOAK="--in-flight 8"): its memory over time
	$(call say,Soak)
	cargo run --release --locked --manifest-path benches/Cargo.toml --package invocations \
		--target-dir "$${CARGO_TARGET_DIR:-target}" -- --soak $(or $(COUNT),2000000) $(SOAK)

.PHONY: plot
plot: ## Draw docs/performance.svg from the figures of the last bench
	$(call say,Plot)
	$(PYTHON) benches/plot.py

.PHONY: build
build: $(SAM)/.ready $(LOCAL)/.ready ## Build what is deployed (ARCHITECTURE=arm64 for Graviton, FEATURES=cedar for policies)
	$(call say,SAM build for $(ARCHITECTURE))
	$(SAM)/bin/sam build --template-file $(TEMPLATE) --parameter-overrides Architecture=$(ARCHITECTURE)

# A parameter that is not given keeps the value that the stack has.
.PHONY: deploy
deploy: $(SAM)/.ready $(LOCAL)/.ready ## Check, build, deploy: [USER_POOL_ID=... CLIENT_IDS=a,b] [PARAMETERS="Name=value ..."] [PREBUILT=dir] [STACK=...]
	$(LOCAL)/bin/python demo/deploy.py --stack '$(STACK)' --template '$(TEMPLATE)' \
		$(if $(PREBUILT),--prebuilt '$(PREBUILT)') $(if $(BUCKET),--bucket '$(BUCKET)') \
		$(if $(TAGS),--tags '$(TAGS)') $(if $(ROLE_ARN),--role-arn '$(ROLE_ARN)') -- \
		$(call given,ARCHITECTURE,Architecture) $(call given,USER_POOL_ID,UserPoolId) \
		$(call given,CLIENT_IDS,ClientIds) $(call given,JWKS_URI,JwksUri) $(PARAMETERS)

.PHONY: package
package: build ## Build, upload into BUCKET, and write packaged.yaml, which others deploy: BUCKET=...
	$(call say,SAM package)
	$(SAM)/bin/sam package --template-file .aws-sam/build/template.yaml --s3-bucket $(or $(BUCKET),$(error BUCKET= is needed)) --output-template-file packaged.yaml \
		$(if $(KMS_KEY_ID),--kms-key-id '$(KMS_KEY_ID)')
	@# Who deploys it gives no architecture: the default must be what was built.
	sed -i.before '/^  Architecture:/,/Default:/s/Default: .*/Default: $(ARCHITECTURE)/' packaged.yaml && rm packaged.yaml.before

.PHONY: smoke
smoke: $(LOCAL)/.ready ## The walk of `make run` against the deployed stack: [URL=... [KIND=rest|http|websocket]] [STACK=...]
	$(call say,Real requests to $(or $(URL),the APIs of $(STACK)))
	$(if $(AUTHCTL),,$(BINARIES))
	$(LOCAL)/bin/python demo/smoke.py --stack $(STACK) $(if $(URL),--url '$(URL)') $(if $(KIND),--kind $(KIND))

.PHONY: token
token: $(LOCAL)/.ready ## A token of the stack's machine client: TOKEN=$$(make -s token) [STACK=...]
	@$(LOCAL)/bin/python demo/operate.py --stack $(STACK) token

.PHONY: admin
admin: $(LOCAL)/.ready ## The first administrator, who gets a password by e-mail: EMAIL=... [STACK=...]
	@$(LOCAL)/bin/python demo/operate.py --stack $(STACK) admin '$(or $(EMAIL),$(error EMAIL= is needed))'

.PHONY: restore
restore: $(LOCAL)/.ready ## The table of revocations as it was, as another table: BEFORE=2026-12-01T11:55:00Z|latest [TABLE=...] [STACK=...]
	@$(LOCAL)/bin/python demo/operate.py --stack $(STACK) restore '$(or $(BEFORE),$(error BEFORE= is needed))' $(if $(TABLE),--table '$(TABLE)')

.PHONY: destroy
destroy: $(LOCAL)/.ready $(SAM)/.ready ## Delete the deployed stack (EVERYTHING=1: users, revocations and logs too; YES=1 asks nothing): [STACK=...]
	$(LOCAL)/bin/python demo/destroy.py --stack $(STACK) $(if $(EVERYTHING),--everything) $(if $(YES),--yes)

# `sam build` calls this for the function of that name in template.yaml.
.PHONY: build-AuthorizerFunction
build-AuthorizerFunction:
	PATH="$(CURDIR)/$(LOCAL)/bin:$$PATH" cargo lambda build --release --locked --bin authorizer $(if $(FEATURES),--features $(FEATURES)) \
		$(if $(filter arm64,$(ARCHITECTURE)),--arm64,--x86-64) --flatten authorizer --lambda-dir "$(ARTIFACTS_DIR)"
	cp authorizer.yaml "$(ARTIFACTS_DIR)/"
	$(if $(findstring cedar,$(FEATURES)),cp -r policies "$(ARTIFACTS_DIR)/")

.PHONY: build-RevokerFunction
build-RevokerFunction:
	PATH="$(CURDIR)/$(LOCAL)/bin:$$PATH" cargo lambda build --release --locked --bin revoker \
		$(if $(filter arm64,$(ARCHITECTURE)),--arm64,--x86-64) --flatten revoker --lambda-dir "$(ARTIFACTS_DIR)"

.PHONY: build-EnricherFunction
build-EnricherFunction:
	PATH="$(CURDIR)/$(LOCAL)/bin:$$PATH" cargo lambda build --release --locked --bin enricher \
		$(if $(filter arm64,$(ARCHITECTURE)),--arm64,--x86-64) --flatten enricher --lambda-dir "$(ARTIFACTS_DIR)"
	cp enricher.yaml "$(ARTIFACTS_DIR)/"

.PHONY: clean
clean: ## Remove all that was built or installed here
	cargo clean
	rm -rf .aws-sam .tools .venv fuzz/found fuzz/artifacts

cdk/node_modules/.ready: cdk/package-lock.json
	$(call say,Installing the CDK and jsii (once))
	npm ci --no-audit --no-fund --silent --prefix cdk
	touch $@

tests/oidc_provider/node_modules/.ready: tests/oidc_provider/package-lock.json
	$(call say,Installing the OpenID provider of the tests (once))
	npm ci --no-audit --no-fund --silent --prefix tests/oidc_provider
	touch $@

tests/mcp/node_modules/.ready: tests/mcp/package-lock.json
	$(call say,Installing the MCP client of the tests (once))
	npm ci --no-audit --no-fund --silent --prefix tests/mcp
	touch $@

tests/signing_clients/node_modules/.ready: tests/signing_clients/package-lock.json
	$(call say,Installing the signing client of the tests (once))
	npm ci --no-audit --no-fund --silent --prefix tests/signing_clients
	touch $@

tests/recipes/node_modules/.ready: tests/recipes/package-lock.json
	$(call say,Installing the AWS CDK (once))
	npm ci --no-audit --no-fund --silent --prefix tests/recipes
	touch $@

CARGO_DENY := 0.20.2
CARGO_CYCLONEDX := 0.5.9
CARGO_MUTANTS := 27.1.0

.tools/bin/%:
	$(call say,Installing $* (once))
	cargo install $* --locked --version $($(subst -,_,$(shell echo $* | tr a-z A-Z))) --root .tools

.venv/%/.ready: tools/requirements-%.txt
	$(call say,Installing the tools of $< (once; about half a minute))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	$(@D)/bin/pip check
	touch $@
