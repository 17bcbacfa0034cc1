CREATE TABLE IF NOT EXISTS dice (
    identifier TEXT PRIMARY KEY,
    position   INTEGER NOT NULL UNIQUE, -- in the file
    error_rate REAL NOT NULL CHECK (error_rate BETWEEN 0 AND 1)
) STRICT;

CREATE TABLE IF NOT EXISTS faces (
    identifier TEXT NOT NULL REFERENCES dice ON DELETE CASCADE,
    position   INTEGER NOT NULL CHECK (position BETWEEN 1 AND 6),
    value      INTEGER NOT NULL,
    PRIMARY KEY (identifier, position)
) STRICT;
