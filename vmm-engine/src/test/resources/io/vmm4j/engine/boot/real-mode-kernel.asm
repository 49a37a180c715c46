; The bytes are in MultibootEntryTest: nasm -f bin. A kernel that goes back to real mode.
        bits 32
        org 0x200               ; its place in the segment: the image is loaded at 0x10000
        lgdt [cs:0x10000 + gdtr]
        lidt [cs:0x10000 + idtr]
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        jmp 8:narrow
        bits 16
narrow: mov eax, cr0
        and al, 0xFE
        mov cr0, eax
        jmp 0x1000:real
real:   xor ax, ax
        mov ss, ax
        mov sp, 0x7000
        int 0x11                ; a BIOS service, which does nothing but return
        sti
        hlt                     ; until the timer ticks
        hlt                     ; and ticks again, for the first tick was acknowledged
        in al, 0x21             ; 0xFA: the timer and the second controller are open
        sub al, 0xFA - 42
        out 0xF4, al
        hlt
        align 8
gdt:    dq 0, 0x00009B010000FFFF, 0x000093010000FFFF
gdtr:   dw 23
        dd 0x10000 + gdt
idtr:   dw 0x3FF
        dd 0
