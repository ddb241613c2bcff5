# The far end of a file copy, for PowerShell 5.1 and 7. What it reads and writes is in `wire.rs`.
$ErrorActionPreference = 'Stop'
$from = New-Object IO.BufferedStream ([Console]::OpenStandardInput()), 65536
$to = [Console]::OpenStandardOutput()
$utf8 = New-Object Text.UTF8Encoding $false
$buffer = New-Object byte[] 1048576
$epoch = New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)
$separator = [IO.Path]::DirectorySeparatorChar
$windows = $separator -eq '\'

function answer($text) {
    $bytes = $utf8.GetBytes($text + [char]0)
    $to.Write($bytes, 0, $bytes.Length)
    $to.Flush()
}

function line {
    $bytes = New-Object IO.MemoryStream
    for (;;) {
        $byte = $from.ReadByte()
        if ($byte -lt 0) { return $null }
        if ($byte -eq 10) { return $utf8.GetString($bytes.ToArray()) }
        $bytes.WriteByte($byte)
    }
}

# A line as it was before it was escaped. Only these escapes occur: every backslash is doubled.
function text {
    $line = line
    if ($null -eq $line) { exit 1 }
    [regex]::Unescape($line)
}

function code($exception) {
    switch ($exception.HResult -band 0xffff) {
        0x27 { return 'full' }
        0x70 { return 'full' }
        0x20 { return 'busy' }
        0x21 { return 'busy' }
        0x50 { return 'exists' }
        0xb7 { return 'exists' }
        0x7b { return 'name' }
    }
    if ($exception -is [UnauthorizedAccessException] -or $exception -is [Security.SecurityException]) { return 'denied' }
    if ($exception -is [IO.FileNotFoundException] -or $exception -is [IO.DirectoryNotFoundException]) { return 'missing' }
    if ($exception -is [IO.PathTooLongException] -or $exception -is [ArgumentException] -or
        $exception -is [NotSupportedException]) { return 'name' }
    'other'
}

function refuse($code, $text) { answer "error $code $text" }
function refuseby($record) {
    $exception = $record.Exception.GetBaseException()
    refuse (code $exception) $exception.Message
}

function digester {
    # Where only FIPS algorithms are allowed, the first one is refused by .NET Framework.
    try { [Security.Cryptography.SHA256]::Create() }
    catch { New-Object Security.Cryptography.SHA256CryptoServiceProvider }
}
function hex($digester) {
    [void]$digester.TransformFinalBlock($buffer, 0, 0)
    [BitConverter]::ToString($digester.Hash).Replace('-', '').ToLowerInvariant()
}
function digestof($path) {
    $stream = New-Object IO.FileStream $path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), ([IO.FileShare]::ReadWrite)
    try {
        $digester = digester
        while (($count = $stream.Read($buffer, 0, $buffer.Length)) -gt 0) {
            [void]$digester.TransformBlock($buffer, 0, $count, $null, 0)
        }
        hex $digester
    } finally { $stream.Dispose() }
}

# `~`, `%NAME%` and `$env:NAME` of variables that are set; everything else stays as it is.
function expand($path) {
    if ($path -match '^~(?=$|[\\/])') {
        $path = [Environment]::GetFolderPath('UserProfile') + $path.Substring(1)
    }
    $path = [regex]::Replace($path, '\$env:(\w+)|\$\{env:([^}]+)\}', {
        param($match)
        $name = $match.Groups[1].Value + $match.Groups[2].Value
        $value = [Environment]::GetEnvironmentVariable($name)
        if ($null -eq $value) { $match.Value } else { $value }
    }, [Text.RegularExpressions.RegexOptions]::IgnoreCase)
    [Environment]::ExpandEnvironmentVariables($path)
}

function rootpath($expands) {
    $path = text
    if ($expands -eq '1') { $path = expand $path }
    if ($path -eq '') {
        refuse 'name' 'the path is empty'
        exit 1
    }
    try {
        $here = (Get-Location -PSProvider FileSystem).ProviderPath
        $script:root = [IO.Path]::GetFullPath([IO.Path]::Combine($here, $path))
    } catch {
        refuseby $_
        exit 1
    }
}

# Of names below the root: one that is none here could name another place, such as a stream.
function place {
    $text = text
    if ($text -eq '') { return $script:root }
    foreach ($part in $text.Split('/')) {
        $wrong = $part -eq '' -or $part -eq '.' -or $part -eq '..' -or $part.IndexOf($separator) -ge 0
        if ($windows) {
            $wrong = $wrong -or $part -match '[\x00-\x1f<>:"|?*\\/]' -or $part -match '[. ]$' -or
                $part -match '^(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(\.|$)'
        }
        if ($wrong) { throw (New-Object ArgumentException "$part is no file name there") }
    }
    [IO.Path]::Combine($script:root, $text.Replace('/', $separator))
}

function what {
    if ([IO.Directory]::Exists($script:root)) { 'folder' }
    elseif ([IO.File]::Exists($script:root)) { 'file' }
    else { 'nothing' }
}

# to KIND INTO EXPANDS / NAME / PATH: where files go.
function destination($kind, $into, $expands) {
    $name = text
    rootpath $expands
    if ($into -eq '1' -and [IO.Directory]::Exists($script:root)) {
        $script:root = [IO.Path]::Combine($script:root, $name)
    } elseif ($script:root.EndsWith($separator) -and [IO.Path]::GetPathRoot($script:root) -ne $script:root) {
        if ($kind -eq 'f') {
            refuse 'missing' "$script:root is no folder"
            exit 1
        }
        $script:root = $script:root.TrimEnd($separator)
    }
    $what = what
    if ($kind -eq 'd' -and $what -eq 'file') {
        refuse 'not-a-folder' "$script:root is a file"
        exit 1
    }
    answer "root $what $script:root"
}

# from EXPANDS / PATH: where files come from.
function origin($expands) {
    rootpath $expands
    $what = what
    if ($what -eq 'nothing') {
        refuse 'missing' "$script:root does not exist"
        exit 1
    }
    answer "root $what $script:root"
}

# folder / PATH
function folder {
    try {
        [void][IO.Directory]::CreateDirectory((place))
        answer 'ok'
    } catch { refuseby $_ }
}

# Why a file is not taken, before any of it has come.
function judge($path, $size, $policy, $seconds) {
    if ([IO.Directory]::Exists($path)) { return "error is-a-folder $path is a folder" }
    if (-not [IO.File]::Exists($path)) { return '' }
    if ($policy -eq 'refuse') { return "error exists $path exists" }
    if ($policy -eq 'skip') { return 'skipped' }
    if ($policy -eq 'update') {
        $found = New-Object IO.FileInfo $path
        $age = [Math]::Floor(($found.LastWriteTimeUtc.Ticks - $epoch.Ticks) / 10000000)
        if ($found.Length -eq $size -and [string]$age -eq $seconds) { return 'skipped' }
    }
    ''
}

# Reads what was announced, into the stream while there is one and it takes it.
function take($left, $stream, $digester) {
    $problem = $null
    while ($left -gt 0) {
        $count = $from.Read($buffer, 0, [int][Math]::Min($left, $buffer.Length))
        if ($count -le 0) { break }
        $left -= $count
        if ($null -ne $stream -and $null -eq $problem) {
            try { $stream.Write($buffer, 0, $count) } catch { $problem = $_ }
        }
        if ($null -ne $digester) { [void]$digester.TransformBlock($buffer, 0, $count, $null, 0) }
    }
    $problem
}

# put SIZE POLICY WAITS RESUMES TOKEN SECONDS NANOSECONDS TIME / PATH, then the content and its digest.
function put($size, $policy, $waits, $resumes, $token, $seconds, $nanoseconds, $time) {
    $size = [long]$size
    $offset = [long]0
    $problem = $null
    $refused = ''
    $partial = ''
    try {
        $path = place
        $refused = judge $path $size $policy $seconds
        $partial = [IO.Path]::Combine([IO.Path]::GetDirectoryName($path), ".winrm-$token.partial")
    } catch { $problem = $_ }
    if ($waits -eq '1') {
        if ($null -ne $problem) { refuseby $problem; return }
        if ($refused -ne '') { answer $refused; return }
        try {
            if ($resumes -eq '1' -and [IO.File]::Exists($partial)) {
                answer ('go {0} {1}' -f (New-Object IO.FileInfo $partial).Length, (digestof $partial))
            } else {
                # Told now what would be told after the content.
                [IO.File]::Create($partial).Dispose()
                answer 'go 0 -'
            }
        } catch { refuseby $_; return }
        $line = line
        if ($null -eq $line) {
            # Nothing more comes: what is not whole is of use only to who goes on with it.
            if ($resumes -ne '1') { [IO.File]::Delete($partial) }
            exit 1
        }
        $offset = [long]$line.Split(' ')[1]
    }
    $stream = $null
    $digester = digester
    if ($null -eq $problem -and $refused -eq '') {
        try {
            $mode = [IO.FileMode]::Create
            if ($offset -gt 0) { $mode = [IO.FileMode]::Append }
            $stream = New-Object IO.FileStream $partial, $mode, ([IO.FileAccess]::Write), ([IO.FileShare]::Read), 1
        } catch { $problem = $_ }
    }
    $failed = take ($size - $offset) $stream $digester
    if ($null -eq $problem) { $problem = $failed }
    if ($null -ne $stream) { try { $stream.Dispose() } catch { if ($null -eq $problem) { $problem = $_ } } }
    $digest = line
    if ($null -eq $digest) {
        if ($resumes -ne '1' -and $null -ne $stream) { [IO.File]::Delete($partial) }
        exit 1
    }
    if ($refused -ne '') { answer $refused; return }
    try {
        if ($null -ne $problem) { throw $problem.Exception }
        if ($offset -gt 0) { $sum = digestof $partial } else { $sum = hex $digester }
        if ($sum -ne $digest) { throw (New-Object IO.InvalidDataException "$path did not arrive as it was sent") }
        if ($seconds -ne '-') {
            $ticks = [long]$seconds * 10000000 + [long][Math]::Floor([long]$nanoseconds / 100)
            [IO.File]::SetLastWriteTimeUtc($partial, $epoch.AddTicks($ticks))
        }
        # Somebody may have made it meanwhile.
        $refused = judge $path $size $policy $seconds
        if ($refused -ne '') {
            [IO.File]::Delete($partial)
            answer $refused
            return
        }
        # Its owner and rights stay where there is one already.
        if ([IO.File]::Exists($path)) { [IO.File]::Replace($partial, $path, [NullString]::Value) }
        else { [IO.File]::Move($partial, $path) }
        answer "ok $sum"
    } catch {
        $record = $_
        if ($null -ne $stream) { try { [IO.File]::Delete($partial) } catch { $null = $_ } }
        if ($record.Exception.GetBaseException() -is [IO.InvalidDataException]) {
            refuse 'changed' ($record.Exception.GetBaseException().Message)
        } else { refuseby $record }
    }
}

# Seconds since 1970 with seven digits behind the point.
function moment($time) {
    $ticks = $time.Ticks - $epoch.Ticks
    $seconds = [Math]::Floor([decimal]$ticks / 10000000)
    '{0}.{1:d7}' -f [long]$seconds, [long]($ticks - $seconds * 10000000)
}

# look / PATH
function look {
    try {
        $path = place
        if ([IO.Directory]::Exists($path)) { refuse 'is-a-folder' "$path is a folder"; return }
        $found = New-Object IO.FileInfo $path
        answer ('file {0} {1} 0' -f $found.Length, (moment $found.LastWriteTimeUtc))
    } catch { refuseby $_ }
}

# get OFFSET / PATH
function get($offset) {
    $offset = [long]$offset
    try {
        $path = place
        if ([IO.Directory]::Exists($path)) { refuse 'is-a-folder' "$path is a folder"; return }
        $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
        $stream = New-Object IO.FileStream $path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share, 1
    } catch { refuseby $_; return }
    try {
        $left = $size = $stream.Length
        if ($offset -gt $size) { $offset = [long]0 }
        $skipped = $offset
        $digester = digester
        answer ('file {0} {1} {2}' -f $size, (moment ([IO.File]::GetLastWriteTimeUtc($path))), $offset)
        while ($left -gt 0) {
            $count = $stream.Read($buffer, 0, [int][Math]::Min($left, $buffer.Length))
            # Fewer bytes came than were promised: nobody could tell them from what follows.
            if ($count -le 0) { exit 1 }
            $left -= $count
            [void]$digester.TransformBlock($buffer, 0, $count, $null, 0)
            # The client has the beginning; its digest is of the whole.
            $known = [int][Math]::Min($skipped, $count)
            $skipped -= $known
            if ($count -gt $known) { $to.Write($buffer, $known, $count - $known) }
        }
        answer "sum $(hex $digester)"
    } finally { $stream.Dispose() }
}

function list {
    try { [void][IO.Directory]::GetFileSystemEntries($script:root) } catch { refuseby $_; return }
    answer 'listing'
    $folders = New-Object Collections.Generic.Stack[object]
    $folders.Push(@((New-Object IO.DirectoryInfo $script:root), '.'))
    while ($folders.Count -gt 0) {
        $folder, $name = $folders.Pop()
        answer ('d 0 0 ' + $name)
        try { $entries = $folder.GetFileSystemInfos() } catch {
            answer ('e 0 0 ' + $_.Exception.GetBaseException().Message)
            continue
        }
        foreach ($entry in $entries) {
            $below = $name + '/' + $entry.Name
            if ($entry -is [IO.FileInfo]) {
                answer ('f {0} {1} {2}' -f $entry.Length, (moment $entry.LastWriteTimeUtc), $below)
            } elseif ($entry.Attributes -band [IO.FileAttributes]::ReparsePoint) {
                answer ('x 0 0 ' + $below)
            } else { $folders.Push(@($entry, $below)) }
        }
    }
    answer '.'
}

$root = ''
while ($null -ne ($line = line)) {
    $verb, $arguments = $line.Split(' ')
    switch ($verb) {
        'to' { destination @arguments }
        'from' { origin @arguments }
        'folder' { folder }
        'put' { put @arguments }
        'look' { look }
        'get' { get @arguments }
        'list' { list }
        default {
            refuse 'protocol' "$verb is not known"
            exit 1
        }
    }
}
$to.Flush()
