/** Pictures and their files: conversion from the decoder's output, PNG, A1111's parameters text, names and folders. */
package kiln.runtime.image;
