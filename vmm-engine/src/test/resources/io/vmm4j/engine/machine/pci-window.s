# The guest of PciWindowTest: real mode, at 0x10000. It moves the 64-bit BAR of pci-test (00:03.0)
# to and fro between 0xD0000 and 0xD1000, one half after the other, and writes a number that it finds
# again at the other place. With decoding off it finds the RAM below.
        .code16
        .intel_syntax noprefix
        .set    FUNCTION, 0x80001800
        .set    COMMAND, FUNCTION + 0x04
        .set    LOW_HALF, FUNCTION + 0x10
        .set    HIGH_HALF, FUNCTION + 0x14

start:  cli
        xor     ax, ax
        mov     ss, ax
        mov     sp, 0x7000
        mov     ecx, 2
        call    decode
        xor     ebp, ebp
next:   mov     eax, LOW_HALF
        mov     ecx, ebp
        and     ecx, 1
        shl     ecx, 12
        add     ecx, 0xD0000
        call    store
        mov     eax, HIGH_HALF
        mov     ecx, 1                  # beyond 4 GiB for a moment
        call    store
        xor     ecx, ecx
        call    store
        mov     ax, bp
        and     ax, 1
        shl     ax, 8
        add     ax, 0xD000
        mov     es, ax
        cmp     es:[0], ebp
        jne     bad
        inc     ebp
        mov     es:[0], ebp
        xor     ecx, ecx
        call    decode
        cmp     dword ptr es:[0], 0
        jne     bad
        mov     ecx, 2
        call    decode
        cmp     es:[0], ebp
        jne     bad
        cmp     ebp, cs:[rounds]
        jb      next
        mov     al, 42
        jmp     exit
bad:    mov     al, 1
exit:   mov     dx, 0xF4
        out     dx, al
        hlt

decode: mov     eax, COMMAND
store:  mov     dx, 0xCF8
        out     dx, eax
        push    eax
        mov     eax, ecx
        mov     dx, 0xCFC
        out     dx, eax
        pop     eax
        ret
        .balign 4
rounds: .long   12
