"""What pages for people share: inert text, templates and style, figures as SVG."""
