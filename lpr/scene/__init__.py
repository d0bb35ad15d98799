"""Drawing plates: glyphs, faces, whole plates. Used by the demo street and by the training tools.

Follows docs/architecture.md; may import ``lpr.plates`` (format data), numpy and cv2. Nothing here is random by
itself: whoever wants variety hands in a generator.
"""
