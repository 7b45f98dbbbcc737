"""What all operators share: missing keys, `IfExists`, `Null`, negation, and the set operators.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping

from ses_audit.policy.operators.base import Operator, Prepare, Test, text_of
from ses_audit.policy.types import Clause
from ses_audit.policy.variables import substitute, variables_in, without_variables

__all__ = ["PreparedClause"]

Values = Mapping[str, tuple[str, ...]]


class PreparedClause:
    """A clause made ready: its values are compiled once, those with variables at each request.

    Parameters
    ----------
    clause
        The operator, the key and the policy's values.
    operator
        What `clause.operator` names.
    version
        The document's Version: decides about policy variables.
    """

    __slots__ = ("_clause", "_key", "_negated", "_null", "_prepare", "_tests", "_variable")

    def __init__(self, clause: Clause, operator: Operator, version: str) -> None:
        self._clause = clause
        self._key = clause.key.lower()
        self._negated = operator.negated
        self._null: frozenset[str] | None = None
        self._prepare: Prepare | None = operator.prepare
        self._variable: tuple[tuple[str, str], ...] = ()
        self._tests: tuple[Test, ...] = ()
        values = dict.fromkeys(clause.values)
        if operator.prepare is None:
            self._null = frozenset(value.strip().lower() for value in values)
            return
        if not operator.family.has_variables:
            self._tests = tuple([operator.prepare(value) for value in values])
            return
        fixed: list[str] = []
        variable: list[str] = []
        for value in values:
            (variable if variables_in(value, version) else fixed).append(value)
        self._variable = tuple((value, version) for value in variable)
        if operator.name in ("StringEquals", "StringNotEquals") and fixed:
            known = frozenset([text_of(without_variables(value, version)) for value in fixed])
            one = known.__contains__ if operator.name == "StringEquals" else _outside(known)
            self._tests = (one,)
        else:
            prepare = operator.prepare
            self._tests = tuple([prepare(without_variables(value, version)) for value in fixed])

    def holds(self, context: Values, multivalued: frozenset[str]) -> bool:
        """Whether the clause holds in a context.

        Parameters
        ----------
        context
            Condition keys in lower case with their values; what is not there is absent.
        multivalued
            Keys in lower case that carry a set even when it holds one value.
        """
        values = context.get(self._key)
        if self._null is not None:
            # A key without a value is null, as one that is absent.
            return ("false" if values else "true") in self._null
        clause = self._clause
        if values is None:
            if clause.if_exists or clause.set_operator == "ForAllValues":
                return True
            return False if clause.set_operator == "ForAnyValue" else self._negated
        if clause.set_operator is None:
            if len(values) != 1 or self._key in multivalued:
                # A set needs a set operator; without one it does not match.
                return False
            if not self._variable:
                value = values[0]
                for test in self._tests:
                    if test(value) is not self._negated:
                        return not self._negated
                return self._negated
        elif not any(values):
            # "A null data set, such as an empty string": nothing for the operator to hold of.
            return clause.set_operator == "ForAllValues"
        tests = self._tests
        if self._variable:
            resolved = (self._resolved(each, context, multivalued) for each in self._variable)
            tests += tuple(each for each in resolved if each is not None)
        if clause.set_operator == "ForAnyValue":
            return any(self._meets(value, tests) for value in values)
        return all(self._meets(value, tests) for value in values)

    def _meets(self, value: str, tests: tuple[Test, ...]) -> bool:
        if self._negated:
            return all(test(value) for test in tests)
        return any(test(value) for test in tests)

    def _resolved(
        self, variable: tuple[str, str], context: Values, multivalued: frozenset[str]
    ) -> Test | None:
        """The test of a value whose variables are replaced; None where one can't be.

        Such a value is null: nothing is equal to it, and everything is unequal to it.
        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value
        """
        value, version = variable
        tokens = substitute(value, context, version, multivalued)
        return None if tokens is None or self._prepare is None else self._prepare(tokens)


def _outside(known: frozenset[str]) -> Test:
    return lambda value: value not in known
