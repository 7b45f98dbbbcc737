#!/usr/bin/env bash
# Settle on your own account the rules of docs/rules.md that AWS does not document.
#
#   docs/settle.sh                 list the rules and what each needs
#   docs/settle.sh RULE ...        print what would be asked; asks AWS nothing
#   docs/settle.sh all             the same for every rule
#   SES_AUDIT_SETTLE=send docs/settle.sh RULE ...     ask, and print what was observed
#   SES_AUDIT_SETTLE=change docs/settle.sh RULE ...   also put policies on SETTLE_IDENTITY, and
#                                                     take them off again
#
# How: a role that may send (SETTLE_ROLE) is assumed with a session policy that allows exactly what
# one experiment needs; so no policy of your account is touched. Messages go to the mailbox
# simulator unless a rule is about the recipient. Each experiment is one or two messages. Use a
# region that has left the sandbox, but for check.recipients: there recipients are checked too.
#
# It needs the AWS CLI v2, and in the environment:
#   SETTLE_REGION          eu-west-1
#   SETTLE_ROLE            ARN of a role that you can assume and that may ses:* on everything
#   SETTLE_IDENTITY        a verified domain: example.com
#   SETTLE_ADDRESS         an address of it that is not verified apart: settle@example.com
# and for single rules, as the list says:
#   SETTLE_VERIFIED        an address that is verified apart, of a domain that is not verified
#   SETTLE_OTHER           an address of another verified identity of the account
#   SETTLE_SET             a configuration set
#   SETTLE_TEMPLATE        a stored template without variables
#   SETTLE_CUSTOM_TEMPLATE a custom verification e-mail template
#   SETTLE_RECIPIENT       an address of yours that gets a verification e-mail
#   SETTLE_TAG             KEY=VALUE, a tag that SETTLE_IDENTITY carries
#   SETTLE_FOREIGN         an address that another account has verified, and yours has not
#   SETTLE_FOREIGN_ROLE    ARN of a role of another account that may ses:* on everything
set -euo pipefail

MODE=${SES_AUDIT_SETTLE:-dry}
SIMULATOR=success@simulator.amazonses.com
NEVER=nobody@never-verified.example
POLICY_NAME=ses-audit-settle

RULES=(
  check.return_path check.configuration_set check.recipients
  order.iam_first order.first_failure
  way.v1-send-custom-verification-email way.v2-send-custom-verification-email
  way.v2-raw way.v2-inline-template way.v2-bulk way.v2-bulk-inline way.pinpoint-email
  keys.resource_tag keys.global
  identity.domain_arn identity.none_verified identity.label
  delegate.arn_decides delegate.without_arn delegate.own_limits
  policies.one_set policies.role_principal policies.bulk policies.bounce
)

needs() {
  case $1 in
    check.return_path | check.recipients) echo "SETTLE_OTHER" ;;
    check.configuration_set | order.first_failure) echo "SETTLE_SET" ;;
    way.v?-send-custom-verification-email) echo "SETTLE_CUSTOM_TEMPLATE SETTLE_RECIPIENT" ;;
    way.v2-bulk) echo "SETTLE_TEMPLATE" ;;
    keys.resource_tag) echo "SETTLE_TAG" ;;
    identity.label) echo "SETTLE_VERIFIED" ;;
    delegate.without_arn) echo "SETTLE_FOREIGN" ;;
    delegate.own_limits | policies.role_principal) echo "SETTLE_FOREIGN_ROLE" ;;
    *) echo "" ;;
  esac
}

changes() {
  case $1 in
    delegate.own_limits | policies.*) return 0 ;;
    *) return 1 ;;
  esac
}

fail() {
  echo "settle.sh: $*" >&2
  exit 2
}

say() { printf '%s\n' "$*"; }

identity_arn() { say "arn:${PARTITION}:ses:${SETTLE_REGION}:${ACCOUNT}:identity/$1"; }

allow() { # allow ACTIONS RESOURCES [CONDITION]: a statement; lists as JSON strings by comma
  local condition=${3:+,\"Condition\":$3}
  say "{\"Effect\":\"Allow\",\"Action\":[$1],\"Resource\":[$2]$condition}"
}

deny() { say "{\"Effect\":\"Deny\",\"Action\":[$1],\"Resource\":[$2]}"; }

policy() { # policy STATEMENT ...
  local IFS=,
  say "{\"Version\":\"2012-10-17\",\"Statement\":[$*]}"
}

# ask ROLE SESSION_POLICY COMMAND ...: runs `aws COMMAND` as the role, cut to the policy.
# Leaves what was observed in $OBSERVED: sent | denied | not_verified | refused, and the text.
OBSERVED=
ask() {
  local role=$1 session_policy=$2
  shift 2
  say "  as       $role"
  say "  policy   $session_policy"
  say "  asks     aws $(printf '%q ' "$@")"
  OBSERVED=dry
  if [[ $MODE == dry ]]; then
    say "  observed nothing: this is a dry listing"
    return 0
  fi
  local key secret token answer status=0
  read -r key secret token < <(
    aws sts assume-role --role-arn "$role" --role-session-name ses-audit-settle \
      --policy "$session_policy" --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' \
      --output text
  ) || fail "cannot assume $role with this policy"
  answer=$(
    unset AWS_PROFILE
    export AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret AWS_SESSION_TOKEN=$token
    AWS_PAGER='' aws "$@" --region "$SETTLE_REGION" --output json 2>&1
  ) || status=$?
  answer=$(tr '\n\r\t' '   ' <<<"$answer")
  if [[ $status == 0 && $answer != *'"Status": "FAILED"'* ]]; then
    OBSERVED=sent
  elif [[ $answer == *"not authorized"* || $answer == *AccessDenied* ]]; then
    OBSERVED=denied
  elif [[ $answer == *"not verified"* ]]; then
    OBSERVED=not_verified
  else
    OBSERVED=refused
  fi
  ANSWER=$answer
  say "  observed $OBSERVED: $(tr -cd '[:print:]' <<<"$answer")"
}
ANSWER=

means() { # means CONFIRMED REFUTED: what $OBSERVED tells; each a glob on "OBSERVED ANSWER"
  [[ $OBSERVED == dry ]] && return 0
  # shellcheck disable=SC2053
  if [[ "$OBSERVED $ANSWER" == $1 ]]; then
    say "  means    CONFIRMED"
  elif [[ "$OBSERVED $ANSWER" == $2 ]]; then
    say "  means    REFUTED"
  else
    say "  means    UNDECIDED: neither answer that the rule is about; look at the text"
  fi
}

# The ways to send. Each leaves the command in $COMMAND.
simple() { # simple FROM [MORE ARGUMENTS]
  local from=$1
  shift
  COMMAND=(ses send-email --from "$from" --to "$SIMULATOR" --subject settle --text settle "$@")
}
v2() { # v2 CONTENT [MORE ARGUMENTS]
  local content=$1
  shift
  COMMAND=(sesv2 send-email --from-email-address "$SETTLE_ADDRESS"
    --destination "ToAddresses=$SIMULATOR" --content "$content" "$@")
}
bulk() { # bulk DEFAULT_CONTENT
  COMMAND=(sesv2 send-bulk-email --from-email-address "$SETTLE_ADDRESS" --default-content "$1"
    --bulk-email-entries "[{\"Destination\":{\"ToAddresses\":[\"$SIMULATOR\"]}}]")
}

SEND='"ses:SendEmail","ses:SendRawEmail"'
ALL='"*"'
INLINE='{"Template":{"TemplateContent":{"Subject":"settle","Text":"settle"},"TemplateData":"{}"}}'

raw_content() {
  local message
  message=$(printf 'From: %s\r\nTo: %s\r\nSubject: settle\r\n\r\nsettle\r\n' \
    "$SETTLE_ADDRESS" "$SIMULATOR" | base64 | tr -d '\n')
  say "{\"Raw\":{\"Data\":\"$message\"}}"
}

# with_policies STATEMENT ... -- FUNCTION: the identity has these policies, one a statement, while
# the function runs.
with_policies() {
  local statement number=0
  local -a statements=()
  while [[ $1 != -- ]]; do
    statements+=("$1")
    shift
  done
  shift
  ACCEPTED=yes
  for statement in "${statements[@]}"; do
    number=$((number + 1))
    say "  puts     $POLICY_NAME-$number on $SETTLE_IDENTITY: $(policy "$statement")"
    [[ $MODE == change ]] || continue
    PUT=$number
    if ! ANSWER=$(aws sesv2 create-email-identity-policy --region "$SETTLE_REGION" \
      --email-identity "$SETTLE_IDENTITY" --policy-name "$POLICY_NAME-$number" \
      --policy "$(policy "$statement")" 2>&1); then
      ACCEPTED=no
    fi
  done
  "$@"
  take_off
}
PUT=0
ACCEPTED=
take_off() {
  while [[ $PUT -gt 0 ]]; do
    aws sesv2 delete-email-identity-policy --region "$SETTLE_REGION" \
      --email-identity "$SETTLE_IDENTITY" --policy-name "$POLICY_NAME-$PUT" >/dev/null 2>&1 || true
    PUT=$((PUT - 1))
  done
}
trap take_off EXIT

grant() { # grant EFFECT PRINCIPAL ACTIONS: a statement of a sending policy
  say "{\"Effect\":\"$1\",\"Principal\":{\"AWS\":\"$2\"},\"Action\":[$3],\"Resource\":\"$DOMAIN\"}"
}

accepted() {
  [[ $MODE == dry ]] && return 0
  say "  observed $([[ $ACCEPTED == yes ]] && echo "SES took the policy" || echo "SES refused the policy: $ANSWER")"
}

settle() {
  local rule=$1 key
  DOMAIN=$(identity_arn "$SETTLE_IDENTITY")
  case $rule in
    check.return_path)
      simple "$SETTLE_ADDRESS" --return-path "$SETTLE_OTHER"
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "\"$DOMAIN\"")")" "${COMMAND[@]}"
      means "denied *identity/*${SETTLE_OTHER#*@}*" "sent *"
      ;;
    check.configuration_set)
      simple "$SETTLE_ADDRESS" --configuration-set-name "$SETTLE_SET"
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "\"$DOMAIN\"")")" "${COMMAND[@]}"
      means "denied *configuration-set/*" "sent *"
      say "  (again from an identity whose default configuration set is $SETTLE_SET, without naming it:"
      say "   aws sesv2 put-email-identity-configuration-set-attributes sets it)"
      ;;
    check.recipients)
      say "  needs a region in the sandbox: aws sesv2 get-account --query ProductionAccessEnabled"
      COMMAND=(ses send-email --from "$SETTLE_ADDRESS" --to "$SETTLE_OTHER" --subject settle --text settle)
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "\"$DOMAIN\"")")" "${COMMAND[@]}"
      means "denied *identity/${SETTLE_OTHER}*" "sent *"
      ;;
    order.iam_first)
      simple "$NEVER"
      ask "$SETTLE_ROLE" "$(policy "$(deny "$SEND" "$ALL")")" "${COMMAND[@]}"
      means "denied *" "not_verified *"
      ;;
    identity.none_verified)
      simple "$NEVER"
      ask "$SETTLE_ROLE" "$(policy "$(deny "$SEND" "$ALL")")" "${COMMAND[@]}"
      means "denied *identity/${NEVER}*" "denied *"
      ;;
    order.first_failure)
      simple "$SETTLE_ADDRESS" --configuration-set-name "$SETTLE_SET"
      ask "$SETTLE_ROLE" "$(policy "$(deny "$SEND" "$ALL")")" "${COMMAND[@]}"
      means "denied *identity/*" "denied *identity/*configuration-set/*"
      ;;
    way.v1-send-custom-verification-email | way.v2-send-custom-verification-email)
      if [[ $rule == way.v1-* ]]; then
        COMMAND=(ses send-custom-verification-email --email-address "$SETTLE_RECIPIENT")
      else
        COMMAND=(sesv2 send-custom-verification-email --email-address "$SETTLE_RECIPIENT")
      fi
      COMMAND+=(--template-name "$SETTLE_CUSTOM_TEMPLATE")
      key="arn:${PARTITION}:ses:${SETTLE_REGION}:${ACCOUNT}:custom-verification-email-template/*"
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendCustomVerificationEmail"' "\"$key\"")")" "${COMMAND[@]}"
      means "denied *identity/${SETTLE_RECIPIENT}*" "sent *"
      ;;
    way.v2-raw)
      v2 "$(raw_content)"
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendRawEmail"' "$ALL")")" "${COMMAND[@]}"
      means "sent *" "denied *"
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendEmail"' "$ALL")")" "${COMMAND[@]}"
      means "denied *ses:SendRawEmail*" "sent *"
      ;;
    way.v2-inline-template)
      v2 "$INLINE"
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendEmail"' "\"$DOMAIN\"")")" "${COMMAND[@]}"
      means "sent *" "denied *template/*"
      ;;
    way.v2-bulk | way.v2-bulk-inline)
      if [[ $rule == way.v2-bulk ]]; then
        bulk "{\"Template\":{\"TemplateName\":\"$SETTLE_TEMPLATE\",\"TemplateData\":\"{}\"}}"
      else
        bulk "$INLINE"
      fi
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendBulkEmail"' "$ALL")")" "${COMMAND[@]}"
      means "sent *" "denied *"
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendBulkTemplatedEmail"' "$ALL")")" "${COMMAND[@]}"
      means "denied *ses:SendBulkEmail*" "sent *"
      ;;
    way.pinpoint-email)
      COMMAND=(pinpoint-email send-email --from-email-address "$SETTLE_ADDRESS"
        --destination "ToAddresses=$SIMULATOR"
        --content '{"Simple":{"Subject":{"Data":"settle"},"Body":{"Text":{"Data":"settle"}}}}')
      ask "$SETTLE_ROLE" "$(policy "$(allow '"ses:SendEmail"' "$ALL")")" "${COMMAND[@]}"
      means "sent *" "denied *"
      ;;
    keys.resource_tag)
      simple "$SETTLE_ADDRESS"
      key="{\"StringEquals\":{\"aws:ResourceTag/${SETTLE_TAG%%=*}\":\"${SETTLE_TAG#*=}\"}}"
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "$ALL" "$key")")" "${COMMAND[@]}"
      means "denied *" "sent *"
      ;;
    keys.global)
      say "  each key: sent means that a send carries it, denied that it does not"
      simple "$SETTLE_ADDRESS"
      for key in aws:PrincipalArn aws:PrincipalOrgID aws:RequestedRegion aws:ResourceAccount \
        aws:ResourceOrgID aws:ViaAWSService aws:TokenIssueTime aws:MultiFactorAuthPresent \
        aws:SourceAccount aws:SourceArn aws:SourceIp aws:UserAgent aws:CurrentTime; do
        say "  key      $key"
        ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "$ALL" "{\"Null\":{\"$key\":\"false\"}}")")" "${COMMAND[@]}"
      done
      ;;
    identity.domain_arn)
      simple "$SETTLE_ADDRESS"
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "\"$DOMAIN\"")")" "${COMMAND[@]}"
      means "sent *" "denied *identity/${SETTLE_ADDRESS}*"
      ;;
    identity.label)
      simple "${SETTLE_VERIFIED%@*}+settle@${SETTLE_VERIFIED#*@}"
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "\"$(identity_arn "$SETTLE_VERIFIED")\"")")" "${COMMAND[@]}"
      means "sent *" "[dn]* *"
      ;;
    delegate.arn_decides)
      simple "$SETTLE_ADDRESS" --source-arn "$DOMAIN"
      key=$(identity_arn "$SETTLE_ADDRESS")
      ask "$SETTLE_ROLE" \
        "$(policy "$(allow "$SEND" "$ALL")" "$(deny "$SEND" "\"$key\"")")" "${COMMAND[@]}"
      means "sent *" "denied *"
      say "  (for the whole rule, verify $SETTLE_ADDRESS apart first, with a sending policy that denies)"
      ;;
    delegate.without_arn)
      simple "$SETTLE_FOREIGN"
      ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "$ALL")")" "${COMMAND[@]}"
      means "not_verified *" "denied *"
      ;;
    delegate.own_limits)
      simple "$SETTLE_ADDRESS" --source-arn "$DOMAIN"
      say "  needs a default configuration set on $SETTLE_IDENTITY, and a sending role's account"
      with_policies "$(grant Allow "$(account_of "$SETTLE_FOREIGN_ROLE")" "$SEND")" -- \
        ask "$SETTLE_FOREIGN_ROLE" "$(policy "$(allow "$SEND" "\"$DOMAIN\"")")" "${COMMAND[@]}"
      means "sent *" "denied *configuration-set/*"
      ;;
    policies.one_set)
      simple "$SETTLE_ADDRESS"
      with_policies "$(grant Allow "$SETTLE_ROLE" "$SEND")" "$(grant Deny "$SETTLE_ROLE" "$SEND")" -- \
        ask "$SETTLE_ROLE" "$(policy "$(allow "$SEND" "$ALL")")" "${COMMAND[@]}"
      means "denied *" "sent *"
      ;;
    policies.role_principal)
      simple "$SETTLE_ADDRESS" --source-arn "$DOMAIN"
      with_policies "$(grant Allow "$SETTLE_FOREIGN_ROLE" "$SEND")" -- \
        ask "$SETTLE_FOREIGN_ROLE" "$(policy "$(allow "$SEND" "$ALL")")" "${COMMAND[@]}"
      means "sent *" "[dn]* *"
      ;;
    policies.bulk)
      with_policies "$(grant Allow "$ACCOUNT" '"ses:SendBulkEmail"')" -- accepted
      ;;
    policies.bounce)
      with_policies "$(grant Allow "$ACCOUNT" '"ses:SendBounce"')" -- accepted
      with_policies "$(grant Allow "$ACCOUNT" '"ses:SendCustomVerificationEmail"')" -- accepted
      ;;
  esac
}

account_of() {
  local IFS=:
  # shellcheck disable=SC2086
  set -- $1
  say "${5:-ACCOUNT}"
}

list() {
  say "rule: what it needs beside SETTLE_REGION, SETTLE_ROLE, SETTLE_IDENTITY, SETTLE_ADDRESS"
  local rule
  for rule in "${RULES[@]}"; do
    printf '%-42s %s%s\n' "$rule" "$(needs "$rule")" \
      "$(changes "$rule" && echo " (SES_AUDIT_SETTLE=change)" || true)"
  done
}

main() {
  case ${1:-} in
    '' | --list) list && exit 0 ;;
    -h | --help) sed -n '2,/^set -euo/{/^set/d;s/^# \{0,1\}//;p;}' "$0" && exit 0 ;;
  esac
  case $MODE in dry | send | change) ;; *) fail "SES_AUDIT_SETTLE is send or change, not $MODE" ;; esac
  [[ $1 == all ]] && set -- "${RULES[@]}"
  local rule known name
  for rule in "$@"; do
    known=
    for name in "${RULES[@]}"; do [[ $name == "$rule" ]] && known=yes; done
    [[ $known ]] || fail "no disputed rule $rule; \`docs/settle.sh --list\` names them"
  done
  # In a dry listing what is not given stands as its name.
  for name in SETTLE_REGION SETTLE_ROLE SETTLE_IDENTITY SETTLE_ADDRESS; do
    [[ $MODE == dry || -n ${!name:-} ]] || fail "set $name; \`docs/settle.sh --help\` tells what it is"
  done
  for name in SETTLE_REGION SETTLE_ROLE SETTLE_IDENTITY SETTLE_ADDRESS SETTLE_VERIFIED SETTLE_OTHER \
    SETTLE_SET SETTLE_TEMPLATE SETTLE_CUSTOM_TEMPLATE SETTLE_RECIPIENT SETTLE_TAG SETTLE_FOREIGN \
    SETTLE_FOREIGN_ROLE; do
    GIVEN[${#GIVEN[@]}]="$name=${!name:-}"
    [[ -n ${!name:-} ]] || printf -v "$name" '%s' "$name"
  done
  ACCOUNT=$(account_of "$SETTLE_ROLE")
  PARTITION=$(cut -d: -f2 <<<"$SETTLE_ROLE:aws")
  for rule in "$@"; do
    say "$rule"
    if [[ $MODE != dry ]]; then
      for name in $(needs "$rule"); do
        [[ " ${GIVEN[*]} " == *" $name= "* ]] && say "  left out: set $name" && continue 2
      done
      if changes "$rule" && [[ $MODE != change ]]; then
        say "  left out: it puts policies on $SETTLE_IDENTITY; set SES_AUDIT_SETTLE=change"
        continue
      fi
    fi
    settle "$rule"
  done
}
GIVEN=()

main "$@"
