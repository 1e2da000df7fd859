export type Product = 'MariaDB' | 'MySQL';

/** What each of them has and the other has not, or says in other words. */
const own = {
  MariaDB: {
    column: '',
    rows: 'SELECT seq, MD5(seq), UNHEX(MD5(seq)) FROM seq_1_to_3000',
    tables: `
CREATE TABLE past (a INT) WITH SYSTEM VERSIONING;
INSERT INTO past VALUES (1);
UPDATE past SET a = 2;
CREATE SEQUENCE counter START WITH 70;`,
    comment: '',
    rights: `
SET DEFAULT ROLE auditor FOR app@'%';
GRANT EXECUTE ON PROCEDURE \`sh op/é\`.fill TO app@'%';`,
  },
  MySQL: {
    column: ', hidden INT DEFAULT 4 INVISIBLE',
    rows: `WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 3000)
  SELECT i, SHA2(i, 256), UNHEX(SHA2(i, 256)) FROM numbers`,
    tables: '',
    comment: `COMMENT 'it''s "ours"'`,
    rights: `
ALTER USER app@'%' DEFAULT ROLE auditor;
GRANT EXECUTE ON PROCEDURE zed.nothing TO app@'%';
GRANT BACKUP_ADMIN ON *.* TO app@'%';`,
  },
};

/**
 * Statements that make two databases of everything that is easily lost: `-e` of the client takes them, DELIMITER
 * included.
 */
export function oddData(product: Product): string {
  const { column, rows, tables, comment, rights } = own[product];
  return `
CREATE DATABASE \`sh op/é\` DEFAULT CHARACTER SET latin1;
CREATE DATABASE zed;
USE \`sh op/é\`;
CREATE TABLE item (
  id INT PRIMARY KEY AUTO_INCREMENT, n INT, text VARCHAR(300) CHARACTER SET utf8mb4, bytes LONGBLOB,
  twice INT GENERATED ALWAYS AS (n * 2) VIRTUAL, next INT AS (n + 1) STORED, document JSON,
  moment DATETIME(6) DEFAULT '2026-01-01 00:00:00.123456', amount DECIMAL(30, 10), bits BIT(9), shape POINT${column}
);
INSERT INTO item (n, text, bytes, document, amount, bits, shape) VALUES
  (1, 'line\\nbreak 😀 ''quoted'' \\\\ "', x'00ff0a275c0d1a', '{"a": [1]}', 12345678901234567890.0123456789, b'101010101', POINT(1, 2)),
  (0, NULL, NULL, NULL, -0.5, b'0', NULL);
${product === 'MySQL' ? 'SET SESSION cte_max_recursion_depth = 10000;' : ''}
INSERT INTO item (n, text, bytes) ${rows};
CREATE TABLE audit (x INT, \`we\`\`ird\` DATETIME(6), note TEXT);
INSERT INTO audit VALUES (0, NOW(6), ');\\nINSERT INTO \`audit\` VALUES (9, NULL, NULL);');
CREATE VIEW latest AS SELECT MAX(id) AS id FROM item;
CREATE VIEW zed.\`a far view\` AS SELECT id FROM \`sh op/é\`.latest;
CREATE TABLE child (id INT PRIMARY KEY, item INT, FOREIGN KEY (item) REFERENCES item (id));
INSERT INTO child VALUES (1, 1);${tables}
DELIMITER //
CREATE TRIGGER told AFTER INSERT ON item FOR EACH ROW BEGIN
INSERT INTO audit VALUES (NEW.id, NULL, 'one');
INSERT INTO audit VALUES (NEW.id, NULL, 'two');
END//
CREATE PROCEDURE fill() INSERT INTO item (n) VALUES (7)//
CREATE FUNCTION plus_one(a INT) RETURNS INT DETERMINISTIC RETURN a + 1//
CREATE PROCEDURE zed.nothing() SELECT 1//
DELIMITER ;
CREATE EVENT cleaning ON SCHEDULE EVERY 1 SECOND DO DELETE FROM item;
CREATE ROLE reader;
CREATE ROLE auditor;
GRANT SELECT ON \`sh op/é\`.* TO reader;
GRANT reader TO auditor;
CREATE USER app@'%' IDENTIFIED BY 'first' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5 ${comment};
GRANT auditor TO app@'%';${rights}
GRANT UPDATE (text) ON \`sh op/é\`.item TO app@'%';
CREATE USER 'it''s'@'10.%' ACCOUNT LOCK;
CREATE TABLE zed.gone (a INT);
GRANT SELECT ON zed.gone TO app@'%';
DROP TABLE zed.gone;
`;
}

/** What only one of them can be asked. Of a right for a table that is gone nothing comes back. */
const ownQuestions = {
  MariaDB: `
SELECT a, row_start, row_end FROM past FOR SYSTEM_TIME ALL ORDER BY row_start;
SELECT NEXT VALUE FOR counter;
SELECT user, host, JSON_REMOVE(priv, '$.password_last_changed') FROM mysql.global_priv ORDER BY 1, 2;`,
  MySQL: `
SELECT user, host, ssl_type, max_user_connections, plugin, HEX(authentication_string), account_locked, user_attributes FROM mysql.user ORDER BY 1, 2;
SELECT * FROM mysql.default_roles; SELECT * FROM mysql.role_edges; SELECT user, host, db, routine_name FROM mysql.procs_priv;
SELECT user, column_priv, table_name FROM mysql.tables_priv WHERE table_name <> 'gone' ORDER BY 1, 3;`,
};

/** Everything of it that must come back, as one text. */
export function fingerprint(product: Product): string {
  return `
USE \`sh op/é\`; SET SESSION group_concat_max_len = 100000000;
SELECT COUNT(*), SHA2(GROUP_CONCAT(CONCAT_WS('|', id, n, HEX(text), HEX(bytes), twice, next, document, moment, amount, bits + 0, ST_AsText(shape)${product === 'MySQL' ? ', hidden' : ''}) ORDER BY id), 256) FROM item;
SELECT * FROM audit; SELECT * FROM child; SELECT * FROM zed.\`a far view\`; SELECT plus_one(1);
SELECT trigger_name, action_statement, definer FROM information_schema.triggers WHERE trigger_schema NOT IN ('sys', 'mysql');
SELECT event_name, event_definition, status FROM information_schema.events WHERE event_schema NOT IN ('sys', 'mysql');
SELECT routine_name, routine_definition FROM information_schema.routines WHERE routine_schema NOT IN ('sys', 'mysql') ORDER BY 1;
SELECT schema_name, default_character_set_name FROM information_schema.schemata ORDER BY 1;
SHOW GRANTS FOR auditor; SHOW GRANTS FOR root@localhost;${ownQuestions[product]}
`;
}
