//! The program `rocker-master`: see the library of the same name.
#![no_std]
#![no_main]

use rocker_mem as _;

rocker_sys::program!(rocker_master::main);
