# The guest of the golden snapshots. It sets something in every device and in every part of the
# processor, sleeps until both timers have fired six times, and then looks whether everything is still
# there. Golden snapshots are taken on the way; restored, it goes on to the verdict: "golden: ok" on
# COM1 and 42 at the debug exit port, or "golden: lost " with the letter of the check that failed.
#
# Nothing it looks at depends on how long things take, so a golden file stays good when the timing of
# a device or the speed of the processor changes.
#
# Entered in real mode with CS = 0x1000, IP = 0. Assemble:
#   as --64 everything.s -o e.o && objcopy -O binary -j .text e.o e.bin && xxd -p e.bin > everything.hex

        .intel_syntax noprefix
        .set    BASE, 0x10000
        .set    PML4, 0x1000            # then the PDPT, and four page directories: 4 GiB
        .set    IDT, 0x8000
        .set    STACK, 0xA000
        .set    PIT_TICKS, 0xA100
        .set    APIC_TICKS, 0xA104
        .set    TEST_DEVICE, 0xA108     # whether there is a pc-testdev
        .set    LAPIC, 0xFEE00000
        .set    IOAPIC, 0xFEC00000
        .set    WINDOW, 0xE0000000
        .set    TEST_WINDOW, 0xFF000000

        .macro  put port, value         # a byte to a port
        mov     dx, \port
        mov     al, \value
        out     dx, al
        .endm

        .macro  check letter            # the flags say equal, or it is lost
        mov     cl, \letter
        jne     lost
        .endm

        .macro  expect port, value, letter
        mov     dx, \port
        in      al, dx
        cmp     al, \value
        check   \letter
        .endm

        .code16
start:  cli
        mov     ax, cs
        mov     ds, ax
        xor     ax, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, STACK

# The serial port: divisor, scratch, FIFO with three characters from its own transmitter.
        put     0x3FB, 0x83
        put     0x3F8, 3
        put     0x3F9, 0
        put     0x3FB, 0x03
        put     0x3FA, 0x81
        put     0x3FF, 0x5A
        put     0x3FC, 0x1B
        put     0x3F8, 0x78
        put     0x3F8, 0x79
        put     0x3F8, 0x7A
        put     0x3FC, 0x0B

        put     0xE9, 0x64              # the debug console

# pc-testdev: memory ports, and line 10, which is masked.
        mov     dx, 0xE0
        mov     eax, 0xCAFEBABE
        out     dx, eax
        in      eax, dx
        cmp     eax, 0xCAFEBABE
        sete    al
        movzx   eax, al
        mov     es:[TEST_DEVICE], eax
        put     0x200A, 1

# The PICs: vectors 0x20 and 0x28, IRQ 0 let through, lines 10 and 11 by level.
        put     0x20, 0x11
        put     0x21, 0x20
        put     0x21, 0x04
        put     0x21, 0x01
        put     0x21, 0xFE
        put     0xA0, 0x11
        put     0xA1, 0x28
        put     0xA1, 0x02
        put     0xA1, 0x01
        put     0xA1, 0xFF
        put     0x4D1, 0x0C

# The PIT: counter 0 as a rate generator, 1 with half a count, 2 as a square wave.
        put     0x43, 0x34
        put     0x40, 0x00
        put     0x40, 0x10
        put     0x43, 0x70
        put     0x41, 0x34
        put     0x43, 0xB6
        put     0x42, 0x34
        put     0x42, 0x12
        put     0x61, 0x03

# CMOS: an alarm, a byte of memory, whose index stays selected.
        put     0x70, 0x05
        put     0x71, 0x12
        put     0x70, 0x40
        put     0x71, 0xA7

# Keyboard controller: its command byte; two answers of the keyboard are left unread.
        put     0x64, 0x60
        put     0x60, 0x04
        put     0x60, 0xED
        in      al, 0x60
        put     0x60, 0x05
        put     0x60, 0xEE

# ACPI: enabled events, the reset register.
        mov     dx, 0x602
        mov     ax, 0x0120
        out     dx, ax
        put     0xCF9, 0x02

# Device memory of test-window at WINDOW.
        mov     dx, 0x510
        mov     eax, WINDOW >> 12
        out     dx, eax
        mov     dx, 0x514
        mov     eax, 2
        out     dx, eax

# Page tables: the first 4 GiB, one to one, by pages of 2 MiB.
        mov     dword ptr es:[PML4], PML4 + 0x1000 + 7
        mov     eax, PML4 + 0x2000 + 7
        mov     di, PML4 + 0x1000
tables: mov     es:[di], eax
        add     di, 8
        add     eax, 0x1000
        cmp     di, PML4 + 0x1000 + 32
        jne     tables
        mov     eax, 0x87
        mov     di, PML4 + 0x2000
pages:  mov     es:[di], eax
        add     di, 8
        add     eax, 0x200000
        jnc     pages

        lgdt    cs:[gdtr - start]
        mov     eax, PML4
        mov     cr3, eax
        mov     eax, 0x620              # PAE, OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        mov     eax, 0x33               # PE, MP, ET, NE: protected mode, not yet long mode
        mov     cr0, eax
        mov     ecx, 0xC0000080
        rdmsr
        or      eax, 0x100
        wrmsr
        mov     eax, 0x80000033
        mov     cr0, eax
        .byte   0x66, 0xEA              # a far jump with a 32-bit offset
        .long   BASE + long - start
        .word   8

        .code64
long:   mov     eax, 0x10
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     esp, STACK

# The IDT: the PIT at 0x20, the local APIC's timer at 0x40.
        lea     rax, [rip + pit]
        mov     edi, IDT + 0x20 * 16
        call    gate
        lea     rax, [rip + apic]
        mov     edi, IDT + 0x40 * 16
        call    gate
        lidt    [rip + idtr]

        mov     ebx, LAPIC
        mov     dword ptr [rbx + 0xF0], 0x1FF
        mov     dword ptr [rbx + 0x80], 0x10
        mov     dword ptr [rbx + 0x350], 0x700   # LINT0: the PICs
        mov     dword ptr [rbx + 0x3E0], 0x0B
        mov     dword ptr [rbx + 0x320], 0x20040
        mov     dword ptr [rbx + 0x380], 3000000
        mov     ebx, IOAPIC
        mov     dword ptr [rbx], 0x13
        mov     dword ptr [rbx + 0x10], 0x01000000
        mov     dword ptr [rbx], 0x12
        mov     dword ptr [rbx + 0x10], 0x10051

        mov     ebx, WINDOW
        mov     dword ptr [rbx], 0xFEEDF00D
        mov     dword ptr [rbx + 0xF00C], 0x0BADCAFE
        mov     ebx, TEST_WINDOW
        mov     rax, 0x1122334455667788
        mov     [rbx + 0x1238], rax
        mov     edi, 0x20000            # a page of one pattern, a page of changing values
        mov     ecx, 512
        rep stosq
        mov     ecx, 512
fill:   mov     [rdi], rcx
        add     rdi, 8
        loop    fill

        finit
        fldpi
        fld1
        fldl2e
        movq    xmm0, rax
        not     rax
        movq    xmm15, rax
        mov     dword ptr [STACK], 0x3F80
        ldmxcsr [STACK]
        call    avx
        jnc     narrow
        mov     rax, cr4                # OSXSAVE; XCR0 with x87, SSE and AVX
        or      eax, 0x40000
        mov     cr4, rax
        xor     ecx, ecx
        xgetbv
        or      eax, 7
        xsetbv
        vinsertf128 ymm0, ymm0, xmm15, 1
        vinsertf128 ymm15, ymm15, xmm0, 1
narrow:
        mov     eax, 0x12345678
        mov     dr0, rax
        mov     eax, 0xABC000
        mov     cr2, rax
        mov     ecx, 0xC0000100         # FS.base
        mov     eax, 0x56789000
        mov     edx, 0x1234
        wrmsr
        mov     ecx, 0xC0000082         # LSTAR
        mov     eax, 0x81000000
        mov     edx, -1
        wrmsr
        mov     r8, 0x0808080808080808
        mov     r15, -15
        mov     dword ptr [PIT_TICKS], 0
        mov     dword ptr [APIC_TICKS], 0
        mov     ss, [rip + data]
        sti
wait:   hlt
        cmp     dword ptr [PIT_TICKS], 6
        jb      wait
        cmp     dword ptr [APIC_TICKS], 6
        jb      wait
        cli

# Is everything still there? The processor first: the checks of the devices use its registers.
        mov     rax, 0x0808080808080808
        cmp     r8, rax
        check   'a'
        cmp     r15, -15
        check   'b'
        movq    rax, xmm0
        mov     rbx, 0x1122334455667788
        cmp     rax, rbx
        check   'c'
        movq    rax, xmm15
        not     rax
        cmp     rax, rbx
        check   'd'
        stmxcsr [STACK]
        cmp     dword ptr [STACK], 0x3F80
        check   'e'
        call    avx
        jnc     narrow2
        xor     ecx, ecx
        xgetbv
        cmp     eax, 7
        check   'X'
        mov     rbx, 0x1122334455667788
        vextractf128 xmm1, ymm15, 1
        movq    rax, xmm1
        cmp     rax, rbx
        check   'Y'
        vextractf128 xmm1, ymm0, 1
        movq    rax, xmm1
        not     rax
        cmp     rax, rbx
        check   'Z'
narrow2:
        fstp    qword ptr [STACK]
        mov     rax, 0x3FF71547652B82FE  # log2 e
        cmp     [STACK], rax
        check   'f'
        fstp    st(0)
        fstp    qword ptr [STACK]
        mov     rax, 0x400921FB54442D18  # pi
        cmp     [STACK], rax
        check   'g'
        mov     rax, dr0
        cmp     rax, 0x12345678
        check   'h'
        mov     rax, cr2
        cmp     rax, 0xABC000
        check   'i'
        mov     ecx, 0xC0000100
        rdmsr
        cmp     eax, 0x56789000
        check   'j'
        cmp     edx, 0x1234
        check   'k'
        mov     ecx, 0xC0000082
        rdmsr
        cmp     eax, 0x81000000
        check   'l'
        mov     ebx, LAPIC
        mov     eax, [rbx + 0x80]
        cmp     eax, 0x10
        check   'm'
        mov     eax, [rbx + 0x320]
        cmp     eax, 0x20040
        check   'n'

        mov     ebx, IOAPIC             # the selected register is still 0x12
        mov     eax, [rbx + 0x10]
        cmp     eax, 0x10051
        check   'A'
        mov     ebx, WINDOW
        cmp     dword ptr [rbx], 0xFEEDF00D
        check   'B'
        cmp     dword ptr [rbx + 0xF00C], 0x0BADCAFE
        check   'C'
        mov     dx, 0x514
        in      eax, dx
        cmp     eax, 0x10002            # read and write; mapped once
        check   'D'
        mov     ebx, 0xFFFFFFF0         # the boot ROM, at the top and below 1 MiB
        cmp     dword ptr [rbx], 0x524F4D21
        check   'E'
        mov     ebx, 0xFFFF0
        cmp     dword ptr [rbx], 0x524F4D21
        check   'F'
        expect  0x3FF, 0x5A, 'G'
        expect  0x3FD, 0x61, 'H'
        expect  0x3F8, 0x78, 'I'
        expect  0x3F8, 0x79, 'J'
        expect  0x3F8, 0x7A, 'K'
        expect  0x3FC, 0x0B, 'L'
        put     0x3FB, 0x83
        expect  0x3F8, 3, 'M'
        put     0x3FB, 0x03
        expect  0x21, 0xFE, 'N'
        expect  0xA1, 0xFF, 'O'
        expect  0x4D1, 0x0C, 'P'
        put     0x43, 0xE8              # the PIT's status of counter 2: mode 3, both bytes
        mov     dx, 0x42
        in      al, dx
        and     al, 0x3F
        cmp     al, 0x36
        check   'Q'
        put     0x41, 0x12              # the other half of counter 1's count
        put     0x43, 0xE4
        mov     dx, 0x41
        in      al, dx
        and     al, 0x3F
        cmp     al, 0x30
        check   'R'
        mov     dx, 0x61
        in      al, dx
        and     al, 0x03
        cmp     al, 0x03
        check   'S'
        expect  0x71, 0xA7, 'T'
        put     0x70, 0x05
        expect  0x71, 0x12, 'U'
        expect  0x60, 0xFA, 'V'
        expect  0x60, 0xEE, 'W'
        put     0x64, 0x20
        expect  0x60, 0x04, 'X'
        mov     dx, 0x602
        in      ax, dx
        cmp     ax, 0x0120
        check   'Y'
        expect  0xCF9, 0x02, 'Z'
        cmp     dword ptr [0x20FF8], 0x55667788
        check   '0'
        cmp     dword ptr [0x21000], 512
        check   '1'
        cmp     dword ptr [TEST_DEVICE], 0
        je      good
        mov     dx, 0xE0
        in      eax, dx
        cmp     eax, 0xCAFEBABE
        check   '2'
        mov     ebx, TEST_WINDOW
        mov     rax, 0x1122334455667788
        cmp     [rbx + 0x1238], rax
        check   '3'
        put     0x20, 0x0A              # line 10 waits at the second PIC
        put     0xA0, 0x0A
        expect  0xA0, 0x04, '4'

good:   lea     rsi, [rip + ok]
        mov     ecx, 11
        mov     bl, 42
        jmp     say
lost:   mov     bl, cl
        lea     rsi, [rip + gone]
        mov     [rsi + 13], cl
        mov     ecx, 15
say:    mov     dx, 0x3F8
        rep outsb
        mov     al, bl
        mov     dx, 0xF4
        out     dx, al
stop:   hlt
        jmp     stop

avx:    mov     eax, 1                  # the carry says whether the processor has AVX
        xor     ecx, ecx
        cpuid
        bt      ecx, 28
        ret

gate:   mov     [rdi], eax              # an interrupt gate in selector 8
        mov     dword ptr [rdi + 2], 8
        mov     word ptr [rdi + 4], 0x8E00
        shr     rax, 16
        mov     [rdi + 6], eax
        mov     dword ptr [rdi + 10], 0
        ret

pit:    push    rax
        inc     dword ptr [PIT_TICKS]
        mov     al, 0x20
        out     0x20, al
        pop     rax
        iretq

apic:   push    rax
        inc     dword ptr [APIC_TICKS]
        mov     eax, LAPIC
        mov     dword ptr [rax + 0xB0], 0
        pop     rax
        iretq

        .balign 8
gdt:    .quad   0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdtr:   .word   23
        .long   BASE + gdt - start
data:   .word   0x10
idtr:   .word   0x41 * 16 - 1
        .quad   IDT
ok:     .ascii  "golden: ok\n"
gone:   .ascii  "golden: lost ?\n"
