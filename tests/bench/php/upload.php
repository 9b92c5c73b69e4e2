<?php
// Yardstick: the same work under PHP-FPM: move, SHA-256, fsync, rename, a row, 201.
// PHP cannot fsync a directory, so this does a little less than sluice and the Node service.
$dir = getenv('BENCH_DIR');
$db = new PDO(getenv('BENCH_PDO'), null, null,
    [PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$out = [];
foreach ($_FILES as $f) {
    $b = random_bytes(16);
    $b[6] = chr(ord($b[6]) & 0x0f | 0x40);
    $b[8] = chr(ord($b[8]) & 0x3f | 0x80);
    $id = vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($b), 4));
    $tmp = "$dir/incoming/$id";
    if ($f['error'] !== UPLOAD_ERR_OK || !move_uploaded_file($f['tmp_name'], $tmp)) {
        http_response_code(500);
        exit;
    }
    $sha = hash_file('sha256', $tmp);
    $fd = fopen($tmp, 'r+');
    if (!fsync($fd)) {
        http_response_code(500);
        exit;
    }
    fclose($fd);
    rename($tmp, "$dir/files/$id");
    $s = $db->prepare('INSERT INTO bench_file (id, name, size, type, sha256) '
        . "VALUES (?, ?, ?, ?, decode(?, 'hex'))");
    $s->execute([$id, $f['name'], $f['size'], $f['type'], $sha]);
    $out[] = ['id' => $id, 'name' => $f['name'], 'size' => $f['size'], 'sha256' => $sha];
}
http_response_code(201);
header('Content-Type: application/json');
echo json_encode(['files' => $out]);
