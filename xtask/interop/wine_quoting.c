/* What wine_quoting.py runs under Wine.
 *
 * As `NAME --run FILE`: hands each line of FILE (UTF-8) to `cmd /C`, as a Windows host does with a command line, with
 * nothing in between that quotes; prints what it writes, and a line with a record separator (U+001E) after it.
 * Otherwise: prints the command line it was started with and its arguments, as cut by CommandLineToArgvW ("shell32") and by
 * the C runtime ("crt"), in JSON. */

#include <windows.h>
#include <shellapi.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define LONGEST 32768

/* Arguments are not patterns of file names. */
int _CRT_glob = 0;

static void print_string(const wchar_t *text)
{
    static char utf8[3 * LONGEST];
    WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof utf8, NULL, NULL);
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)utf8; *at; at++) {
        if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at < ' ')
            printf("\\u%04x", *at);
        else
            putchar(*at);
    }
    putchar('"');
}

static void print_array(const char *name, int count, wchar_t **texts)
{
    printf(",\"%s\":[", name);
    for (int i = 0; i < count; i++) {
        if (i)
            putchar(',');
        print_string(texts[i]);
    }
    putchar(']');
}

static int run(const wchar_t *path)
{
    static char utf8[3 * LONGEST];
    static wchar_t line[LONGEST], command[LONGEST + 16], cmd[MAX_PATH];
    FILE *file = _wfopen(path, L"rb");
    if (!file)
        return 1;
    GetSystemDirectoryW(cmd, MAX_PATH - 16);
    wcscat(cmd, L"\\cmd.exe");
    while (fgets(utf8, sizeof utf8, file)) {
        STARTUPINFOW startup = {sizeof startup};
        PROCESS_INFORMATION process;
        utf8[strcspn(utf8, "\n")] = 0;
        if (!MultiByteToWideChar(CP_UTF8, 0, utf8, -1, line, LONGEST))
            return 1;
        swprintf(command, LONGEST + 16, L"cmd.exe /C %ls", line);
        if (!CreateProcessW(cmd, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
            return 1;
        WaitForSingleObject(process.hProcess, INFINITE);
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
        printf("\x1e\n");
        fflush(stdout);
    }
    fclose(file);
    return 0;
}

int wmain(int count, wchar_t **arguments)
{
    int found;
    wchar_t **cut;
    if (count == 3 && !wcscmp(arguments[1], L"--run"))
        return run(arguments[2]);
    cut = CommandLineToArgvW(GetCommandLineW(), &found);
    if (!cut)
        return 1;
    printf("{\"line\":");
    print_string(GetCommandLineW());
    print_array("shell32", found, cut);
    print_array("crt", count, arguments);
    printf("}\n");
    return 0;
}
