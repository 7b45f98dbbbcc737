"""A second evaluator of IAM policies: slow, obvious, and written only from AWS's pages.

It shares no code with `ses_audit`. One function is one rule, and names the page the rule is from.
What goes in is a line of `ses-audit simulate`; see `decide.decide` and `contexts.contexts`.

Pages, under https://docs.aws.amazon.com/IAM/latest/UserGuide/ unless a whole address is given:
reference_policies_elements_*.html, reference_policies_evaluation-logic*.html,
reference_policies_condition-single-vs-multi-valued-context-keys.html,
reference_policies_variables.html, access_policies_boundaries.html.
"""
