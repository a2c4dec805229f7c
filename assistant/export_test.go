package assistant

// Standalone lets tests see what is searched for.
var Standalone = standalone
