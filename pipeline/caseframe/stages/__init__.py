"""The language stages: spaCy components, each usable alone in any English pipeline.

What they leave on the Doc, in the order they run:

| component | writes |
|---|---|
| `caseframe_sentences` | `token.is_sent_start` |
| `caseframe_sections` | `doc.spans["sections"]`: `label_` the kind (`title`, `background`, `case` …), `span._.heading` as printed |
| `caseframe_abbreviations` | `doc.spans["abbreviations"]`: each short form, `span._.long_form` its text; `doc.spans["long_forms"]` |
| `caseframe_terms` | `doc.spans["terms"]`: `label_` is the field, `kb_id_` the term's key, `span._.term` the term |
| `caseframe_quantities` | `doc.spans["quantities"]`: `label_` is the kind, `span._.quantity` the value with its unit |
| `caseframe_assertion` | `doc.spans["cues"]`; then `span._.assertion` and `span._.assertion_cue` hold for any span |
| `caseframe_narrative` | `doc.spans["narrative"]`: each sentence, `label_` `patient` or `general`; then `span._.is_general` |
| `caseframe_timeline` | `doc.spans["times"]`: `span._.days` from the index operation; then `span._.when_days` holds for any span |

`doc._.article` is the Article a Doc was made from, or None.
"""
