"""The language stages: spaCy components, each usable alone in any English pipeline.

What they leave on the Doc, in the order they run:

| component | writes |
|---|---|
| `caseframe_sentences` | `token.is_sent_start` |
| `caseframe_sections` | `doc.spans["sections"]`: `label_` is the kind (`title`, `background`, `case`, `methods`, `results`, `conclusion`, `text` …), `span._.heading` the label as printed |
| `caseframe_abbreviations` | `doc.spans["abbreviations"]`: every short form, `span._.long_form` its long form's text; `doc.spans["long_forms"]` |
| `caseframe_terms` | `doc.spans["terms"]`: `label_` is the field, `kb_id_` the term's key, `span._.term` the term |
| `caseframe_quantities` | `doc.spans["quantities"]`: `label_` is the kind, `span._.quantity` the value with its unit |
| `caseframe_assertion` | `doc.spans["cues"]`; then `span._.assertion` and `span._.assertion_cue` hold for any span |
| `caseframe_timeline` | `doc.spans["times"]`: `span._.days` from the index operation; then `span._.when_days` holds for any span |

`doc._.article` is the Article a Doc was made from, or None.
"""
