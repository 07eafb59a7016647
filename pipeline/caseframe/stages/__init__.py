"""The language stages: spaCy components, each usable alone in any English pipeline.

What they leave on the Doc, in the order they run (`doc._.article` is the Article a Doc was made from, or None):

caseframe_sentences
    `token.is_sent_start`
caseframe_sections
    `doc.spans["sections"]`: `label_` the kind (`title`, `background`, `case` …), `span._.heading` the label as printed
caseframe_abbreviations
    `doc.spans["abbreviations"]`: each short form, `span._.long_form` its long form's text; `doc.spans["long_forms"]`
caseframe_terms
    `doc.spans["terms"]`: `label_` the field, `kb_id_` the term's key, `span._.term` the term
caseframe_quantities
    `doc.spans["quantities"]`: `label_` the kind, `span._.quantity` the value with its unit
caseframe_assertion
    `doc.spans["cues"]`; then `span._.assertion` and `span._.assertion_cue` hold for any span
caseframe_roles
    `doc.spans["roles"]`: each sentence, `label_` its role (`background`, `case`, `treatment`, `outcome`, `conclusion`);
    then `span._.role` and `span._.role_scores` hold for any span
caseframe_narrative
    `doc.spans["narrative"]`: each sentence, `label_` `patient` or `general`; then `span._.is_general` for any span
caseframe_timeline
    `doc.spans["times"]`: `span._.days` from the index operation; then `span._.when_days` holds for any span
"""
